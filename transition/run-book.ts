import type { Keepers } from "./table.ts";

/** What the component of a transition says of a row, for whoever reads a preview or a state. */
export interface RowFacts {
  /** Where it stands in the table: whoever keeps the rows by name forgets their order. */
  readonly place: number;
  readonly phase: string;
  readonly deadlineSeconds: number;
  /** It runs only when something before it was bad, or was found to be needed. */
  readonly conditional?: true;
  /** The keeper that names its host; left out: its steps name their hosts. */
  readonly role?: string;
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
  /** The row of the table that it comes from, or its phase. */
  readonly row: string;
  readonly phase: string;
  /** Who runs it: a host, `operator`, or `platform`. */
  readonly host: string;
  readonly says: string;
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
  /** Why nothing of it goes on: whatever is planned fails with these words. */
  readonly refuses?: string;
  readonly users?: UsersNotice;
  /** Runs of the same kind, newest first, with what users noticed. */
  readonly measured: readonly Run[];
  readonly wayBack: string;
  readonly needs: readonly string[];
  readonly steps: readonly RunBookStep[];
  /** Hosts that no step runs on, each with the reason. */
  readonly skipped: readonly string[];
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

/** Whether the goal of the state was reached: by the hosts of then, of which some may be lost or gone now. */
export function wasReached(name: string, last: LastTransition | undefined): boolean {
  const done = [...(last?.steps ?? [])].filter(([step]) => step.startsWith(`${name}-done-`));
  return done.length > 0 && done.every(([, { transition }]) => transition === last?.id);
}

/**
 * What users notice of the way from one goal to the next: nothing where the keeper that moves them stays, and the goal before was
 * reached.
 */
export const noticedOf = (
  users: UsersNotice | undefined,
  moves: string | undefined,
  way: {
    readonly before?: Readonly<Record<string, unknown>>;
    readonly now: Readonly<Record<string, unknown>>;
    readonly reached: boolean;
  },
): UsersNotice | undefined =>
  moves !== undefined && way.before?.[moves] === way.now[moves] && way.reached ? undefined : users;

/** The goal to compare with: of the state, or while an update is half done, of the last one that ended well. */
export function goalBefore(
  { keepers, runs }: Pick<LastTransition, "keepers" | "runs">,
  read: readonly string[],
  state: RunBook["state"],
): Keepers | undefined {
  if (state === "open") return runs[0]?.goal;
  return keepers && goalOf(keepers, read);
}

/** The way back of a goal that is nothing but values of the stack file. */
export const setOldValues = "set the old values in the stack file, then run npx pulumi up";

/** A host that the update makes, whose name nobody knows before. */
export const newHost = "a new host";

/** What goes back after hosts are taken out of service. */
export const absentWayBack =
  "none for units, timers, scripts and secrets that are removed; data stays on the host";
