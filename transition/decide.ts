import type { Tail } from "./receipt.ts";

/** What a machine says of its records of a component: `records_of` in `scripts/records.py`. */
export interface RecordFacts {
  readonly now_ms: number;
  readonly stack: string | null;
  readonly claim: {
    readonly id: string;
    readonly epoch: string | number;
    readonly transition: string;
    /** The open transition that goes on when this one is done. */
    readonly paused_id?: string;
  } | null;
  readonly done: Readonly<Record<string, string>>;
  readonly holder: string | null;
  /** The highest epoch that it knows of. */
  readonly epoch: number;
}

/** A machine, and what it said: facts, or why there are none. The clock is read beside the answer. */
export interface Look<Facts> {
  readonly host: string;
  readonly facts?: Facts;
  readonly failure?: string;
  /** How far the machine's clock is ahead of the operator's, in ms; undefined without facts. */
  readonly skewMs?: number;
  /** By how much `skewMs` may be wrong, in ms: half of the time that the answer took. */
  readonly skewErrorMs?: number;
}

/**
 * How far the clock of each machine is ahead of the operator's, in ms, for the receipt of a preflight: it makes times of
 * machines comparable. 0 where the look was too slow to tell the clocks apart.
 */
export function clocksOf(looks: readonly Look<unknown>[]): Tail {
  const clocks = looks.flatMap(({ host, skewMs, skewErrorMs = 0 }) =>
    skewMs === undefined ? [] : [`${host}:${Math.abs(skewMs) <= skewErrorMs ? "0" : skewMs.toFixed(0)}`],
  );
  return clocks.length === 0 ? {} : { clocks: clocks.join(",") };
}

/** What the receipt of a preflight says of clocks, in ms by host; empty when a release wrote it that said nothing. */
export function clocksIn({ clocks }: Tail): ReadonlyMap<string, number> {
  const pairs = (clocks ?? "").split(",").map((clock) => clock.split(":"));
  return new Map(
    pairs.flatMap(([host, ms]): [string, number][] =>
      host && ms && Number.isFinite(Number(ms)) ? [[host, Number(ms)]] : [],
    ),
  );
}

export interface Decision {
  /** Why not; empty: go on. */
  readonly refusals: readonly string[];
  /** What is so, and what follows; for the operator to read. */
  readonly notes: readonly string[];
  /** The epoch to claim: one more than any that a machine has seen. */
  readonly epoch: number;
  /** What later steps read of it, beside the epoch. */
  readonly tail?: Tail;
}

/** What every preflight is told. */
export interface Wanted {
  readonly component: string;
  readonly transition: string;
  /** The id of the stack that operates the machines, and of one that it takes them over from. */
  readonly stack: string;
  readonly adopt?: string;
}

export type Check<Facts, Goal> = (
  facts: Facts,
  look: Look<Facts>,
  wanted: Goal,
) => string | false | null | undefined;

/** What any transition refuses, machine by machine. */
export const recordChecks: readonly Check<RecordFacts, Pick<Wanted, "stack" | "adopt">>[] = [
  (facts) =>
    facts.holder && `is busy: ${facts.holder} holds the lock; wait for it, or end it, then run again`,
  (facts, _, { stack, adopt }) =>
    facts.stack !== null &&
    ![stack, adopt].includes(facts.stack) &&
    `is operated by stack ${facts.stack}, not by this one (${stack}); to take it over: npx pulumi config set adopt ${facts.stack}`,
];

/** Whether a transition of the component was begun on this machine and not ended. */
export function isOpen(facts: RecordFacts | undefined): boolean {
  return facts?.claim != null && facts.done[facts.claim.transition] !== facts.claim.id;
}

/** The epoch that a transition claims after these looks. */
export const nextEpoch = (looks: readonly Look<RecordFacts>[]): number =>
  1 + Math.max(0, ...looks.map(({ facts }) => facts?.epoch ?? 0));

/** What the checks find on each machine. All findings at once, since one cure may not be the other's. */
export function findings<Facts, Goal>(
  looks: readonly Look<Facts>[],
  wanted: Goal,
  checks: readonly Check<Facts, Goal>[],
): string[] {
  return looks.flatMap((look) => {
    const { host, facts, failure } = look;
    if (!facts) return [`${host}: ${failure ?? "gave no answer"}`];
    return checks.flatMap((check) => {
      const why = check(facts, look, wanted);
      return why ? [`${host} ${why}`] : [];
    });
  });
}

/** Checks that concern one machine of the goal alone. */
export const onlyOn = <Facts, Goal>(
  host: (wanted: Goal) => string,
  checks: readonly Check<Facts, Goal>[],
): Check<Facts, Goal>[] =>
  checks.map((check) => (facts, look, wanted) => look.host === host(wanted) && check(facts, look, wanted));

/** A preflight that asks nothing of the machines together: each answers, is free, is this stack's, and passes. */
export function decideEach<Facts extends RecordFacts, Goal extends Wanted>(
  looks: readonly Look<Facts>[],
  wanted: Goal,
  checks: readonly Check<Facts, Goal>[] = [],
): Decision {
  const opened = looks.some(({ facts }) => isOpen(facts));
  return {
    refusals: findings(looks, wanted, [...recordChecks, ...checks]),
    notes: opened
      ? ["an earlier transition stopped half-way; this one continues from the measured state"]
      : [],
    epoch: nextEpoch(looks),
  };
}
