import { halfWritten, openTransitions } from "../../transition/open.ts";
import type { Said } from "../compare.ts";
import type { Entry, StackOutputs } from "../stack.ts";
import type { StackState } from "../state.ts";
import { type Timeline, timelinesIn } from "../timeline/timeline.ts";

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
  readonly state: StackState;
  readonly outputs: Pick<StackOutputs, "stackId" | "targets">;
  readonly entries: readonly Entry[];
  /** What the hosts of each entry say, in the order of the entries; undefined: nobody asked. */
  readonly said?: readonly (readonly Said[])[];
}

/** How many timelines are shown. */
const latestCount = 4;

/** How a stack stands, from its state, its outputs and what its hosts say. */
export function statusOf({ stack, at, state, outputs, entries, said }: Sources): Status {
  const timelines = timelinesIn(state);
  const wayBack = (name: string) => timelines.find(({ transition }) => transition === name)?.wayBack;
  return {
    stack,
    stackId: outputs.stackId,
    at,
    writtenAt: state.writtenAt,
    entries: entries.map((entry, index) => ({
      noun: entry.system.noun,
      name: entry.name,
      outcome: entry.outcome,
      transitions: transitionsOf(entry, timelines),
      hosts: entry.hosts,
      said: said?.[index],
    })),
    lost: Object.entries(outputs.targets).flatMap(([host, { unreachable }]) => (unreachable ? [host] : [])),
    open: openTransitions(state.entries).map(({ name, steps }) => ({ name, steps, wayBack: wayBack(name) })),
    halfWritten: halfWritten(state.entries, state.pending),
    latest: timelines.filter(({ parts }) => parts.length > 0).slice(0, latestCount),
  };
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
