import type { Decision, Look as LookOf, RecordFacts, Wanted } from "../../transition/decide.ts";
import type { Belongings } from "./left-behind.ts";

/** Facts of one machine of a pair: the output of `scripts/pair/probe.py`. */
export interface PairFacts extends RecordFacts {
  readonly host: string;
  readonly cluster: "absent" | "ours" | "foreign";
  readonly postgres: "running" | "stopped" | "starting";
  readonly in_recovery: boolean | null;
  readonly standby_signal: boolean;
  readonly system_id: string | null;
  readonly streaming: { readonly from: string; readonly lag_bytes: number | null } | null;
  /** The last fence of the machine: the position up to which it wrote, and what it was before. */
  readonly fence: {
    readonly id: string;
    readonly epoch?: string;
    readonly position?: string;
    readonly was?: string;
  } | null;
  /** The epoch at which it was made production last; 0 if never. */
  readonly serving?: number;
  /** Where a machine that accepts writes was promoted last. */
  readonly forked_at?: string | null;
  readonly holds_address: boolean;
  readonly free_mib: number | null;
  readonly address_in_network_files: string | null;
  /** Why the machine stepped down; it serves nothing until a switch takes it in again. */
  readonly down: string | null;
  /** The data is half rewound or half copied. */
  readonly half_made: boolean;
  /** The age of the last replayed transaction; null without one since PostgreSQL started. */
  readonly last_commit_s: number | null;
  /** Copies on this machine by name: files, indexes, and the database if it is a snapshot. */
  readonly copies: Readonly<Record<string, { readonly age_s: number }>>;
  /** A standby that is paused between copies, and streams only for a switch. */
  readonly stands_still: boolean;
  /** The address that the look comes from, as the machine sees it. */
  readonly client?: string | null;
  /** Whether provisioning wrote this machine's file of the pair. */
  readonly configured?: boolean;
  /** Why no server can start with the pair's data on this machine. */
  readonly unusable?: string | null;
  /** A mount point can't be replaced by a copy. */
  readonly data_is_mount?: boolean;
  /** Why replay stands still on a standby. */
  readonly replay?: { readonly kind: "paused" | "held" | "delayed" | "short"; readonly why: string } | null;
  /** Asked only before a switch. */
  readonly belongings?: Belongings | null;
}

export type Look = LookOf<PairFacts>;

/** The goal of the transition, and the limits of the config. */
export interface PairWanted extends Wanted {
  readonly transition: "provision" | "switch";
  readonly production: string;
  readonly standby: string;
  readonly maxLagMiB: number;
  readonly maxClockSkewSeconds: number;
  readonly minFreeMiB: number;
  /** Names of the copies that the pair needs. */
  readonly copies: readonly string[];
  readonly maxCopyAgeMinutes: number;
  /** The machine of the pair in `unreachable`; production will serve without it. */
  readonly lost?: string;
  /** Whether a fence can cut the lost machine off. */
  readonly fenced?: boolean;
  readonly acceptSplitBrainRisk?: string;
  readonly acceptDataLoss?: string;
  /** Who may connect, where the operator's machine checks the service and nothing else admits it. */
  readonly operator?: Operator;
}

interface Operator {
  /** Networks (CIDR) that may connect to the database. */
  readonly clients: readonly string[];
  /** The operator's own address towards the service address. */
  readonly address?: string;
  /** SSH goes through another host, so that a machine does not see the operator. */
  readonly behindBastion: boolean;
}

export const mib = 1024 * 1024;

export const writes = (facts: PairFacts | undefined): boolean =>
  facts?.postgres === "running" && facts.in_recovery === false;

/** What is decided of both machines together. */
export type Verdict = Omit<Decision, "epoch">;

/** No takeover is needed: the note is for people, the tail for the step that would cut the lost machine off. */
export const servesAlready = (host: string): Pick<Decision, "notes" | "tail"> => ({
  notes: [`${host} already accepts writes`],
  tail: { serving: host },
});

/** A line that accepts a loss is for one epoch. */
export const acceptingOf = ({ component }: PairWanted, epoch: number) => ({
  command: (key: string, why: string) =>
    `npx pulumi config set --path changeover:pairs.${component}.${key} "${String(epoch)}: ${why}"`,
  isAccepted: (accepted?: string) => accepted?.startsWith(`${String(epoch)}: `) === true,
});

export const inMinutes = (seconds: number): string =>
  seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;

/** Copies that are older than allowed or missing, with their ages. */
export function oldCopies({ copies }: PairFacts, { copies: names, maxCopyAgeMinutes }: PairWanted): string[] {
  return names.flatMap((name) => {
    const copy = copies[name];
    if (!copy) return [`${name}: never copied`];
    return copy.age_s > maxCopyAgeMinutes * 60 ? [`${name}: ${inMinutes(copy.age_s)} old`] : [];
  });
}

/** The age of each copy, for the operator before a switch. */
export function agesOfCopies(facts: PairFacts, { copies: names }: PairWanted): string[] {
  if (names.length === 0) return [];
  const ages = names.map((name) => {
    const copy = facts.copies[name];
    return `${name} ${copy ? `${inMinutes(copy.age_s)} ago` : "never"}`;
  });
  return [`copies on ${facts.host}: ${ages.join(", ")}`];
}
