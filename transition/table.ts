/** What a transition was asked for: flat strings, and nothing else enters a step. */
export type Keepers = Readonly<Record<string, string>>;

/** One row of a transition: a script on the machine that plays a role. */
export interface Row {
  readonly phase: string;
  /** The file under `scripts/`, without `.sh`. */
  readonly script: string;
  /** `script` is a folder of the user's project instead, which has `install.sh`. Such a row runs on `each`. */
  readonly software?: boolean;
  /** A role that the keepers name (`production`), `each` (every member by its own name), or a set (`balancers`). */
  readonly on: string;
  /** What becomes true; the operator reads it in the documents and in the preview. */
  readonly says: string;
  /** The script is ended after so many seconds, and is to be run again. */
  readonly deadlineSeconds: number;
  /** The part of a resource's name that the row gives, where the phase is not to be in it. */
  readonly name?: string;
  /** Words that come first and never decide whether the row runs: names that can't change, limits. */
  readonly limits?: readonly string[];
  /** Words of the script that the goal decides; a change of one is a new transition. */
  readonly words?: (keepers: Keepers, host: string) => readonly string[];
  /** Reads and changes nothing: it needs no claim, and may run on a host that is no member. */
  readonly reads?: boolean;
  /** The name of the secret that the script reads from stdin. */
  readonly stdin?: string;
  /** The first act of this row can't be taken back by ending the update; only by flipping back. */
  readonly pointOfNoReturn?: boolean;
  /** What users notice from the begin of this row on, in a few words for the run-book. */
  readonly usersNotice?: string;
  /** Users notice nothing any more when this row has ended; of several such rows the last one counts. */
  readonly usersServed?: boolean;
  /** With what the file says now it can only find that it is not needed, so the run-book counts no point of no return. */
  readonly dormant?: boolean;
  /** The script of an earlier row whose receipt this one gets as its last word, to read its tail; a receipt never decides whether it runs. */
  readonly takes?: string;
  /**
   * It may run at the same time as other such rows on its host, since its script has finer locks. Rows of one script tell
   * their runs apart by the last word, which is then a name.
   */
  readonly beside?: boolean;
  /** Its receipt says whether what it saw is good (`verdict=good`, or `verdict=bad` and why); bad fails nothing by itself. */
  readonly verdict?: boolean;
  /** Whether it runs, by the phases whose verdict was bad; left out: whatever they were. For a host or the operator. */
  readonly when?: (bad: readonly string[]) => boolean;
  /** The row may be left out on a machine in `unreachable`. A fence, a drain and a proof never may. */
  readonly mayBeSkipped?: boolean;
  /** Who runs it: a host over SSH (default), the machine that runs `up`, or the platform's API. */
  readonly by?: "host" | "operator" | "platform";
}

export type Table = readonly Row[];

/** What stands for a transition in the triggers of a row whose `when` says that it does not run. */
export const notNeeded = "not needed";

/** Phases in their order, each with its rows. */
export function phasesOf(table: Table): [string, Row[]][] {
  const phases = new Map<string, Row[]>();
  for (const row of table) phases.set(row.phase, [...(phases.get(row.phase) ?? []), row]);
  return [...phases];
}

/** The part of a resource name that a row gives: its own, or the phase, and the script where it says more. */
export function rowName(row: Row): string {
  if (row.name !== undefined) return row.name;
  const script = row.script.split("/").at(-1) ?? row.script;
  return script === row.phase ? row.phase : `${row.phase}-${script}`;
}

/** What stands in the keepers under a prefix, as words `key=value` without it. */
export const withPrefix = (keepers: Keepers, prefix: string): string[] =>
  Object.entries(keepers)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => `${key.slice(prefix.length)}=${value}`);

/** Fields as keepers under a prefix. */
export const prefixed = <T>(prefix: string, fields: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [`${prefix}${key}`, value]));

/** Keepers of an id: sorted, empty values left out, so that a default added by a release changes nothing. */
export function keepersOf<T>(fields: Readonly<Record<string, T | undefined>>): Record<string, T> {
  const kept = Object.entries(fields).filter((field): field is [string, T] => Boolean(field[1]));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}
