import { halfWritten, openTransitions } from "../../transition/open.ts";
import type { LookedEntry } from "../../config/last-look.ts";
import type { Deployment, Entry, StackOutputs } from "../stack.ts";
import { type Timeline, timelinesIn } from "../timeline/timeline.ts";

/** What a host of an entry is now, in words; or why there are none. */
export interface Said {
  readonly host: string;
  readonly words: string;
  readonly answered: boolean;
}

/** What a person reads of one entry of the stack file. */
export interface EntryStatus {
  /** `pair`. */
  readonly noun: string;
  readonly name: string;
  /** `complete`, or what the last update left out. */
  readonly outcome: string;
  /** What its transitions were asked for, the newest first. */
  readonly transitions: readonly Timeline[];
  readonly hosts: readonly string[];
  /** What its hosts say now; undefined: nobody asked. */
  readonly said?: readonly Said[];
}

/** A transition that has not ended. */
export interface OpenStatus {
  readonly name: string;
  readonly steps: readonly string[];
  readonly wayBack?: string;
}

/** What a stack operates and how it stands. */
export interface Status {
  readonly stack: string;
  readonly stackId: string;
  /** When it was looked at. */
  readonly at: Date;
  /** When the state was written last. */
  readonly writtenAt?: Date;
  readonly entries: readonly EntryStatus[];
  /** Hosts that no step runs on. */
  readonly lost: readonly string[];
  readonly open: readonly OpenStatus[];
  /** Replacements and operations that a killed update left, a line each. */
  readonly halfWritten: readonly string[];
  /** The transitions that ran last, newest first. */
  readonly latest: readonly Timeline[];
}

/** What is read to make a status. */
export interface Sources {
  readonly stack: string;
  readonly at: Date;
  readonly state: Deployment;
  readonly outputs: Pick<StackOutputs, "stackId" | "targets">;
  readonly entries: readonly Entry[];
  /** What the hosts of each entry say, in the order of the entries; undefined: nobody asked. */
  readonly looked?: readonly LookedEntry[];
}

/** How many timelines are shown. */
const latestCount = 4;

/** How a stack stands, from its state, its outputs and what its hosts say. */
export function statusOf({ stack, at, state, outputs, entries, looked }: Sources): Status {
  const { resources = [], pending_operations: pending, manifest } = state;
  const writtenAt = new Date(manifest?.time ?? NaN);
  const timelines = timelinesIn(state);
  const wayBack = (name: string) => timelines.find(({ transition }) => transition === name)?.wayBack;
  return {
    stack,
    stackId: outputs.stackId,
    at,
    ...(Number.isNaN(writtenAt.getTime()) ? {} : { writtenAt }),
    entries: entries.map((entry, index) => ({
      noun: entry.system.noun,
      name: entry.name,
      outcome: entry.outcome,
      transitions: transitionsOf(entry, timelines),
      hosts: entry.hosts,
      said: saidIn(entry, looked?.[index]),
    })),
    lost: Object.entries(outputs.targets).flatMap(([host, { unreachable }]) => (unreachable ? [host] : [])),
    open: openTransitions(resources).map(({ name, behind }) => ({
      name,
      steps: behind,
      wayBack: wayBack(name),
    })),
    halfWritten: halfWritten(resources, pending),
    latest: timelines.filter(({ parts }) => parts.length > 0).slice(0, latestCount),
  };
}

/** A line for each part that a host has in an entry, the same line once. */
function saidIn({ system, name, expected }: Entry, looked: LookedEntry | undefined): Said[] | undefined {
  const all = looked?.seen.map((one): Said => {
    const { host, facts, failure = "gave no answer" } = one.look;
    return facts
      ? { host, words: system.describe(name, expected, one), answered: true }
      : { host, words: failure, answered: false };
  });
  return all?.filter(
    ({ host, words }, index) => all.findIndex((one) => one.host === host && one.words === words) === index,
  );
}

/** A transition is an entry's when the entry says that it is done on its hosts. */
function transitionsOf({ marks }: Entry, timelines: readonly Timeline[]): Timeline[] {
  const own = new Set(marks.map(({ component, transition }) => `${component}-${transition}`));
  return timelines.filter(({ transition }) => own.has(transition));
}

/** Hosts that were asked and gave no answer. */
export const silentIn = ({ entries }: Status): string[] => [
  ...new Set(
    entries.flatMap(({ said = [] }) => said.filter(({ answered }) => !answered).map(({ host }) => host)),
  ),
];
