import type { Keepers } from "./table.ts";

/** What the component of a transition says of a row, for whoever reads a preview or a state. */
export interface RowFacts {
  /** Where it stands in the table: whoever keeps the rows by name forgets their order. */
  readonly place: number;
  readonly phase: string;
  readonly deadlineSeconds: number;
  /** It runs only when something before it was bad, or was found to be needed. */
  readonly conditional?: true;
  /** Of a row that is the platform's: its resource has no words of its own. */
  readonly says?: string;
}

/** What users notice of a transition: from the begin of the row `from` to the end of the row `to`. */
export interface UsersNotice {
  readonly notice: string;
  readonly from: string;
  /** Left out: it ends with a later transition. */
  readonly to?: string;
}

/** What was measured in one run that ended well. Seconds. */
export interface Run {
  readonly id: string;
  /** The goal that it reached, as people read it. */
  readonly goal: Keepers;
  /** UTC, when its first step began. */
  readonly began?: string;
  /** From the begin of its first step to the end of its last one. */
  readonly seconds?: number;
  /** How long users noticed it, where its rows say that they do. */
  readonly awaySeconds?: number;
  /** A failure was between its begin and its end, so its times are no measure of the next run. */
  readonly resumed?: true;
  /** There was no goal before: on blank hosts many a step has less to do. */
  readonly first?: true;
  /** As its story names it, where runs of the same steps differ. */
  readonly kind?: string;
  /** By step, without the name of the transition. */
  readonly steps: Readonly<Record<string, number>>;
}

/** The id of the transition that a step ran for, or `not needed`, and the machine where the goal does not name it. */
export interface RanFor {
  readonly transition: string;
  readonly machine?: string;
}

/** What the state said of a transition after the last update. */
export interface LastTransition {
  /** What each step ran for, by resource name. */
  readonly steps: ReadonlyMap<string, RanFor>;
  /** The id of the transition and its keepers, as the state has them. */
  readonly id?: string;
  readonly keepers?: Keepers;
  /** Newest first. */
  readonly runs: readonly Run[];
}

/** One step of a run-book. */
export interface RunBookStep {
  /** The resource's name. */
  readonly name: string;
  readonly phase: string;
  /** Who runs it: a host, `operator`, or `platform`. */
  readonly host: string;
  readonly says: string;
  /** Words of the goal that it is told; undefined: none, or they are known only when the update runs. */
  readonly words?: string;
  readonly pointOfNoReturn: boolean;
  /** It runs only when something before it was bad, or was found to be needed. */
  readonly conditional: boolean;
  /** This update runs it. */
  readonly planned: boolean;
}

/** What an update does for one goal, in order, as people read it. */
export interface RunBook {
  /** For example `sounz-switch`. */
  readonly name: string;
  readonly goal: Keepers;
  /** The goal of the update before; undefined: there was none. */
  readonly was?: Keepers;
  /** Whether that goal was reached. */
  readonly wasReached?: boolean;
  /**
   * `planned`: a new goal. `open`: an update stopped half-way. `hosts`: the same goal, for hosts that are new.
   * `reworded`: nothing is to be done, and steps only get other words.
   */
  readonly state: "planned" | "open" | "hosts" | "reworded";
  readonly users?: UsersNotice;
  /** Runs of the same kind, newest first, with what users noticed. */
  readonly measured: readonly Run[];
  readonly wayBack: string;
  readonly needs: readonly string[];
  readonly steps: readonly RunBookStep[];
  /** Hosts that no step runs on, each with the reason. */
  readonly skipped: readonly string[];
}

/** A run-book as lines for a terminal. A sentence is never cut, since a reader may wait for its last word. */
export function runBookLines(book: RunBook): string[] {
  const planned = book.steps.filter((step) => step.planned);
  return [
    headline(book, planned),
    ...facts(book).map((line) => `  ${line}`),
    ...stepLines(book),
    ...skippedLines(book),
  ];
}

function headline(book: RunBook, planned: readonly RunBookStep[]): string {
  const { name, state } = book;
  if (state === "open") return `${name} is ${workLine(book)}`;
  const separator = state === "hosts" ? " " : ", ";
  return [`${name}: ${counted(planned.length, "step")}`, ...[workLine(book)].filter(Boolean)].join(separator);
}

/** What an update does for a goal, in one line without the transition's name; empty: the same once more. */
export function workLine({ goal, was, wasReached, state, steps }: RunBook): string {
  if (state === "hosts") {
    const hosts = steps.filter(({ phase, planned }) => planned && phase === "claim").map(({ host }) => host);
    return `for ${hosts.join(", ")}; the goal is the same`;
  }
  if (state !== "open") {
    const left = was !== undefined && wasReached === false ? "; the update before stopped half-way" : "";
    return `${changeIn(goal, was).join(", ")}${left}`;
  }
  const first = steps.findIndex((step) => step.planned);
  const wanted = Object.entries(goal).map(([key, value]) => `${key} ${value}`);
  return `half done: it goes on at step ${String(first + 1)} of ${String(steps.length)}${
    wanted.length === 0 ? "" : `; the goal is still ${wanted.join(", ")}`
  }`;
}

/** What kind of work an update does, from the hosts that say that they are done. @param id undefined: it will be a new one. */
export function workOf(
  id: string | undefined,
  hosts: readonly { readonly isNew: boolean; readonly isDone: boolean }[],
): RunBook["state"] {
  if (id === undefined) return "planned";
  if (hosts.every(({ isNew, isDone }) => isDone && !isNew)) return "reworded";
  const othersAreDone = hosts.some(({ isNew }) => !isNew);
  return othersAreDone && hosts.every(({ isNew, isDone }) => isNew || isDone) ? "hosts" : "open";
}

/** What changes of the goal, a few words each: `production slayer => megadeth`. */
export function changeIn(goal: Keepers, was: Keepers | undefined): string[] {
  const keys = [...new Set([...Object.keys(goal), ...Object.keys(was ?? {})])];
  return keys
    .filter((key) => goal[key] !== was?.[key])
    .map((key) => {
      const now = goal[key] ?? "none";
      return was === undefined ? `${key} ${now}` : `${key} ${was[key] ?? "none"} => ${now}`;
    });
}

/** What a reader asks before the steps: who notices, how long, is there a way back, what must be brought. */
function facts(book: RunBook): string[] {
  const returns = book.steps.filter(({ pointOfNoReturn, conditional }) => pointOfNoReturn && !conditional);
  return [
    `users notice: ${[usersLine(book), ...(book.users ? [awayLine(book.measured)] : [])].join("; ")}`,
    `point of no return: ${returns.length === 0 ? "none" : returns.map(({ name }) => shortName(book, name)).join(", ")}`,
    `way back: ${book.wayBack}`,
    ...book.needs.map((need) => `needs: ${need}`),
  ];
}

/** A step without the name of its transition. */
export const shortName = ({ name }: Pick<RunBook, "name">, step: string): string =>
  step.startsWith(`${name}-`) ? step.slice(name.length + 1) : step;

/** What users notice, and between which rows. */
export function usersLine({ users }: Pick<RunBook, "users">): string {
  if (users === undefined) return "nothing";
  return `${users.notice}, ${users.to === undefined ? `from ${users.from} on` : `from ${users.from} to ${users.to}`}`;
}

/** How long users noticed the last runs. */
export const awayLine = (measured: readonly Run[]): string =>
  measuredLine(measured.flatMap(({ awaySeconds }) => awaySeconds ?? []));

/** What was measured on this stack, a number a run, in seconds. */
export function measuredLine(seconds: readonly number[]): string {
  if (seconds.length === 0) return "not measured on this stack";
  const [least, most] = [Math.min(...seconds), Math.max(...seconds)].map((one) => one.toFixed(1));
  return `${least === most ? String(least) : `${String(least)} to ${String(most)}`} s in ${counted(seconds.length, "run")} on this stack`;
}

function stepLines({ steps }: RunBook): string[] {
  const [phases, hosts] = [steps.map(({ phase }) => phase), steps.map(({ host }) => host)].map((words) =>
    Math.max(...words.map((word) => word.length)),
  ) as [number, number];
  const digits = String(steps.length).length;
  return steps.flatMap((step, index) => {
    if (!step.planned) return [];
    // A phase is named once, at its first planned step.
    const before = steps.slice(0, index).findLast(({ planned }) => planned);
    const phase = before?.phase === step.phase ? "" : step.phase;
    const words = step.words === undefined ? "" : ` [${step.words}]`;
    const number = String(index + 1).padStart(digits);
    return `  ${number}. ${phase.padEnd(phases)}  ${step.host.padEnd(hosts)}  ${step.says}${words}`;
  });
}

const skippedLines = ({ skipped }: RunBook): string[] => skipped.map((line) => `  skipped: ${line}`);

/** A number with its noun. */
export const counted = (count: number, noun: string): string =>
  `${String(count)} ${noun}${count === 1 ? "" : "s"}`;

/** Of keepers those that people read: by their name, or with a `*` for a part of it. */
export function goalOf<T>(
  keepers: Readonly<Record<string, T>>,
  patterns: readonly string[],
): Record<string, T> {
  const found = patterns.flatMap((pattern) => {
    const [begin = "", end] = pattern.split("*");
    return Object.entries(keepers).filter(([key]) =>
      end === undefined ? key === pattern : key.startsWith(begin) && key.endsWith(end),
    );
  });
  return Object.fromEntries(found);
}

/** The goal to compare with: of the state, or while an update is half done, of the last one that ended well. */
export function goalBefore(
  { keepers, runs }: Pick<LastTransition, "keepers" | "runs">,
  read: readonly string[],
  state: RunBook["state"],
): Keepers | undefined {
  if (state === "open") return runs[0]?.goal;
  return keepers && goalOf(keepers, read);
}

/** What goes back after hosts are taken out of service. */
export const absentWayBack =
  "none for units, timers, scripts and secrets that are removed; data stays on the host";
