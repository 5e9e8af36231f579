import {
  type Check,
  type Decision,
  findings,
  isOpen,
  type Look as LookOf,
  nextEpoch,
  type RecordFacts,
  recordChecks,
  type Wanted,
} from "../../transition/decide.ts";

/** What one machine of a pair says about itself: the output of `scripts/pair/probe.py`. */
export interface PairFacts extends RecordFacts {
  readonly host: string;
  readonly cluster: "absent" | "ours" | "foreign";
  readonly postgres: "running" | "stopped" | "starting";
  readonly in_recovery: boolean | null;
  readonly standby_signal: boolean;
  readonly system_id: string | null;
  readonly streaming: { readonly from: string; readonly lag_bytes: number | null } | null;
  readonly fence: { readonly id: string } | null;
  readonly holds_address: boolean;
  readonly free_mib: number | null;
  readonly address_in_network_files: string | null;
  /** Why it stepped down and serves nothing until it is taken in again. */
  readonly down: string | null;
  /** Its data is half rewound or half copied. */
  readonly half_made: boolean;
  /** How long ago the last transaction was that it has of production; null without one since its start. */
  readonly last_commit_s: number | null;
  /** Its copies of what production carries, by name; of the database too when that is copied and not streamed. */
  readonly copies: Readonly<Record<string, { readonly age_s: number }>>;
  /** A standby that streams only for a switch, and stands still from copy to copy. */
  readonly stands_still: boolean;
}

export type Look = LookOf<PairFacts>;

/** What the transition wants, and the limits of the config. */
export interface PairWanted extends Wanted {
  readonly transition: "provision" | "switch";
  readonly production: string;
  readonly standby: string;
  readonly maxLagMiB: number;
  readonly maxClockSkewSeconds: number;
  readonly minFreeMiB: number;
  /** What the pair carries and copies, by name. */
  readonly copies: readonly string[];
  readonly maxCopyAgeMinutes: number;
  /** The machine of the pair that is in `unreachable`; production is to serve without it. */
  readonly lost?: string;
  /** Whether something can cut the lost machine off. */
  readonly fenced?: boolean;
  readonly acceptSplitBrainRisk?: string;
  readonly acceptDataLoss?: string;
}

/** What any transition refuses, machine by machine. */
const always: readonly Check<PairFacts, PairWanted>[] = [
  ...recordChecks,
  (_, look, { maxClockSkewSeconds }) =>
    Math.abs(look.skewMs ?? 0) > maxClockSkewSeconds * 1000 &&
    `has a clock that is off by ${((look.skewMs ?? 0) / 1000).toFixed(1)} s (allowed: ${String(maxClockSkewSeconds)} s); set it, and see why time synchronisation failed`,
  (facts, _, { minFreeMiB }) =>
    facts.free_mib !== null &&
    facts.free_mib < minFreeMiB &&
    `has ${String(facts.free_mib)} MiB free for its database (needed: ${String(minFreeMiB)} MiB); make room`,
  (facts) =>
    facts.cluster === "foreign" &&
    "has a database cluster that this program did not make; move it away, or name another machine",
  (facts) =>
    facts.address_in_network_files &&
    `has the service address in its own network files (${facts.address_in_network_files}): it would hold it at boot, whoever is production; take it out`,
];

/** What a switch refuses besides, machine by machine. */
const forSwitch: readonly Check<PairFacts, PairWanted>[] = [
  (facts) =>
    facts.cluster === "absent" && "has no database cluster of this pair; provisioning has not run on it",
];

const mib = 1024 * 1024;

const writes = (facts: PairFacts | undefined): boolean =>
  facts?.postgres === "running" && facts.in_recovery === false;

/**
 * Whether a transition of a pair may begin, from all looks at once. Refusals come by (open record, measured state):
 * what would be wrong in a quiet pair is the expected middle of a switch that stopped half-way, and must not close
 * the way on or the way back.
 */
export function decidePair(looks: readonly Look[], wanted: PairWanted): Decision {
  const epoch = nextEpoch(looks);
  const checks = wanted.transition === "switch" ? [...always, ...forSwitch] : always;
  const refusals = findings(looks, wanted, checks);
  const answered = looks.every(({ facts }) => facts);
  const together: Verdict =
    answered && wanted.transition === "switch"
      ? decideTogether(looks, wanted, epoch)
      : { refusals: [], notes: [] };
  return { ...together, refusals: [...refusals, ...together.refusals], epoch };
}

/** There is nothing to take over: for people, and for the step that would cut the other machine off. */
const servesAlready = (host: string): Pick<Decision, "notes" | "tail"> => ({
  notes: [`${host} accepts the writes already`],
  tail: { serving: host },
});

type Verdict = Omit<Decision, "epoch">;

function decideTogether(looks: readonly Look[], wanted: PairWanted, epoch: number): Verdict {
  if (wanted.lost === undefined) return decideSwitch(looks, wanted);
  const facts = looks.find(({ host }) => host === wanted.production)?.facts;
  return facts ? decideAlone(facts, wanted.lost, wanted, epoch) : { refusals: [], notes: [] };
}

/** What a machine that is to serve without the other has, and what that can cost. */
function decideAlone(facts: PairFacts, lost: string, wanted: PairWanted, epoch: number): Verdict {
  if (writes(facts)) return { refusals: [], ...servesAlready(facts.host) };
  const line = (key: string, why: string) =>
    `npx pulumi config set --path changeover:pairs.${wanted.component}.${key} "${String(epoch)}: ${why}"`;
  const holdsFor = (accepted?: string) => accepted?.startsWith(`${String(epoch)}: `) === true;
  const refusals: string[] = [];
  const old = oldCopies(facts, wanted);
  if (old.length > 0 && !holdsFor(wanted.acceptDataLoss))
    refusals.push(
      `${facts.host} has old copies (${old.join(", ")}; allowed: ${inMinutes(wanted.maxCopyAgeMinutes * 60)}); to serve them all the same: ${line("acceptDataLoss", "why nothing newer is to be had")}`,
    );
  if (facts.half_made)
    refusals.push(`${facts.host} has half of a database only, which can't serve; mend ${lost}`);
  if (facts.down !== null && !holdsFor(wanted.acceptDataLoss))
    refusals.push(
      `${facts.host} stepped down (${facts.down}), and has nothing of what ${lost} acknowledged since; to lose that: ${line("acceptDataLoss", `why ${lost} will never come back`)}`,
    );
  if (!wanted.fenced && !holdsFor(wanted.acceptSplitBrainRisk))
    refusals.push(
      `nothing can cut ${lost} off, and two servers would accept writes if it runs; make sure, then: ${line("acceptSplitBrainRisk", `how you know that ${lost} is off`)}`,
    );
  return { refusals, notes: [ageOf(facts, lost), ...agesOfCopies(facts, wanted)] };
}

const inMinutes = (seconds: number): string =>
  seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;

/** Names and ages of copies that are older than allowed, or were never made. */
function oldCopies({ copies }: PairFacts, { copies: names, maxCopyAgeMinutes }: PairWanted): string[] {
  return names.flatMap((name) => {
    const copy = copies[name];
    if (!copy) return [`${name}: never copied`];
    return copy.age_s > maxCopyAgeMinutes * 60 ? [`${name}: ${inMinutes(copy.age_s)} old`] : [];
  });
}

/** Row 004-156: how old each copy is, before a switch. */
function agesOfCopies(facts: PairFacts, { copies: names }: PairWanted): string[] {
  if (names.length === 0) return [];
  const ages = names.map((name) => {
    const copy = facts.copies[name];
    return `${name} ${copy ? `${inMinutes(copy.age_s)} ago` : "never"}`;
  });
  return [`${facts.host} copied ${ages.join(", ")}`];
}

function ageOf({ host, last_commit_s: age }: PairFacts, lost: string): string {
  const last =
    age === null ? "no transaction since its start" : `a last transaction of ${age.toFixed(1)} s ago`;
  return `${host} has ${last}; what ${lost} acknowledged and ${host} has not is missing until ${lost} comes back, and is set aside then`;
}

/** Who writes now decides what the switch is: a flip, a repair, or the rest of one that stopped. */
function decideSwitch(looks: readonly Look[], wanted: PairWanted): Verdict {
  const of = (name: string) => looks.find(({ host }) => host === name)?.facts;
  const [next, other] = [of(wanted.production), of(wanted.standby)];
  if (!next || !other) return { refusals: [], notes: [] };
  const open = isOpen(next) || isOpen(other);
  const opened = open ? ["a switch stopped half-way; this one goes on from what is so now"] : [];
  if (writes(next) && writes(other)) {
    return {
      refusals: [
        `${next.host} and ${other.host} both accept writes: a person must decide which one is right, and stop the other by hand (docs/runbook.md, "two servers accept writes")`,
      ],
      notes: [],
    };
  }
  const different = [...differentData(next, other), ...whyDown(next, other.host)];
  if (writes(next)) {
    const { notes, tail } = servesAlready(next.host);
    return { refusals: different, notes: [...opened, ...notes], tail };
  }
  if (writes(other)) {
    const lag = open ? [] : whyNotReady(next, other.host, wanted);
    return {
      refusals: [...different, ...lag],
      notes: [...opened, `${other.host} accepts the writes now`, ...agesOfCopies(next, wanted)],
    };
  }
  if (open) return { refusals: different, notes: [...opened, "neither server accepts writes now"] };
  return {
    refusals: [
      ...different,
      `neither ${next.host} nor ${other.host} accepts writes, and no switch is open: start PostgreSQL where it was production last (docs/runbook.md, "no server accepts writes")`,
    ],
    notes: [],
  };
}

function differentData(next: PairFacts, other: PairFacts): string[] {
  if (next.system_id === null || other.system_id === null || next.system_id === other.system_id) return [];
  return [
    `${next.host} and ${other.host} hold different databases (system identifiers ${next.system_id} and ${other.system_id}): one of them is not of this pair`,
  ];
}

/** Its data is no part of the pair until it has followed, however the switch came to be open. */
function whyDown({ host, down }: PairFacts, other: string): string[] {
  if (down === null) return [];
  return [`${host} is down (${down}); let it follow first, with production: ${other}, and switch then`];
}

/** A standby that a planned switch may not promote, with the reason. */
function whyNotReady(facts: PairFacts, source: string, wanted: PairWanted): string[] {
  if (facts.cluster !== "ours" || facts.down !== null) return [];
  if (facts.postgres !== "running")
    return [`${facts.host} is to be production, but its PostgreSQL is ${facts.postgres}; start it`];
  if (facts.stands_still) {
    const old = oldCopies(facts, { ...wanted, copies: ["database"] });
    return old.map(
      (what) =>
        `${facts.host} has an old copy (${what}, allowed: ${inMinutes(wanted.maxCopyAgeMinutes * 60)}); see why, and make a new one there: systemctl start changeover-sync-${wanted.component}`,
    );
  }
  if (!facts.streaming) {
    return [`${facts.host} is to be production, but does not stream from ${source}; see its PostgreSQL log`];
  }
  const lag = facts.streaming.lag_bytes;
  if (lag !== null && lag > wanted.maxLagMiB * mib) {
    return [
      `${facts.host} is ${(lag / mib).toFixed(1)} MiB behind ${source} (allowed: ${String(wanted.maxLagMiB)} MiB); wait until it has caught up`,
    ];
  }
  return [];
}

/** Where a preflight finds what decides. */
export const decides = import.meta.filename;
export const deciders = { pair: decidePair };
