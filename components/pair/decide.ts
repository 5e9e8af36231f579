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
import { admitCommand, allowedClients, mayConnect } from "./clients.ts";

/** Facts of one machine of a pair: the output of `scripts/pair/probe.py`. */
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

/** Refusals of every transition, for each machine. */
const always: readonly Check<PairFacts, PairWanted>[] = [
  ...recordChecks,
  (_, look, { maxClockSkewSeconds }) =>
    Math.abs(look.skewMs ?? 0) > maxClockSkewSeconds * 1000 &&
    `has a clock that is off by ${((look.skewMs ?? 0) / 1000).toFixed(1)} s (allowed: ${String(maxClockSkewSeconds)} s); set the clock, and repair time synchronisation`,
  (facts, _, { minFreeMiB }) =>
    facts.free_mib !== null &&
    facts.free_mib < minFreeMiB &&
    `has ${String(facts.free_mib)} MiB free for its database (needed: ${String(minFreeMiB)} MiB); make room`,
  (facts) =>
    facts.cluster === "foreign" &&
    "has a database cluster that this program did not create; move it away, or name another machine",
  (facts) =>
    facts.address_in_network_files &&
    `has the service address in its own network file ${facts.address_in_network_files}, and would take it at boot in any role; remove it from that file`,
];

/** Further refusals of a switch, for each machine. */
const forSwitch: readonly Check<PairFacts, PairWanted>[] = [
  (facts) =>
    facts.cluster === "absent" && "has no database cluster of this pair: provisioning has not run on it",
];

export const mib = 1024 * 1024;

const writes = (facts: PairFacts | undefined): boolean =>
  facts?.postgres === "running" && facts.in_recovery === false;

/**
 * Whether a transition of a pair may begin, from all looks at once. A refusal depends on open records and on the
 * measured state: a state that is wrong in a settled pair is normal after a switch that stopped half-way. Such a switch
 * must be able to go on and back.
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
  return {
    ...together,
    refusals: [...refusals, ...together.refusals, ...whyNoCheck(looks, wanted)],
    epoch,
  };
}

/**
 * The check after a switch would be refused by the database, after everything was done. It is certain when neither the
 * address that a machine sees nor the operator's own one may connect. A provisioning is refused when the first switch
 * comes after it. An emergency is not: serving users comes before their check.
 */
function whyNoCheck(looks: readonly Look[], wanted: PairWanted): string[] {
  const { operator, transition, component, lost } = wanted;
  const switched = looks.every(({ facts }) => facts?.done.switch !== undefined);
  if (!operator || operator.behindBastion || lost !== undefined || (transition === "provision" && switched))
    return [];
  const { clients, address } = operator;
  const [seen] = looks.flatMap(({ facts }) => facts?.client ?? []);
  if (seen === undefined || [seen, address].some((one) => one !== undefined && mayConnect(one, clients)))
    return [];
  return [
    `this machine checks ${component} after the switch, and its address ${seen} may not connect to the database (allowed: ${allowedClients(clients)}); admit it: ${admitCommand(component, clients.length, seen)}`,
  ];
}

/** No takeover is needed: the note is for people, the tail for the step that would cut the lost machine off. */
const servesAlready = (host: string): Pick<Decision, "notes" | "tail"> => ({
  notes: [`${host} already accepts writes`],
  tail: { serving: host },
});

type Verdict = Omit<Decision, "epoch">;

function decideTogether(looks: readonly Look[], wanted: PairWanted, epoch: number): Verdict {
  if (wanted.lost === undefined) return decideSwitch(looks, wanted);
  const facts = looks.find(({ host }) => host === wanted.production)?.facts;
  return facts ? decideAlone(facts, wanted.lost, wanted, epoch) : { refusals: [], notes: [] };
}

/** Whether a machine may serve alone, and what that can lose. */
function decideAlone(facts: PairFacts, lost: string, wanted: PairWanted, epoch: number): Verdict {
  if (writes(facts)) return { refusals: [], ...servesAlready(facts.host) };
  const command = (key: string, why: string) =>
    `npx pulumi config set --path changeover:pairs.${wanted.component}.${key} "${String(epoch)}: ${why}"`;
  const isAccepted = (accepted?: string) => accepted?.startsWith(`${String(epoch)}: `) === true;
  const refusals: string[] = [];
  const old = oldCopies(facts, wanted);
  if (old.length > 0 && !isAccepted(wanted.acceptDataLoss))
    refusals.push(
      `${facts.host} has old copies (${old.join(", ")}; allowed: ${inMinutes(wanted.maxCopyAgeMinutes * 60)}); to serve the old copies: ${command("acceptDataLoss", "why no newer copy exists")}`,
    );
  if (facts.half_made)
    refusals.push(`${facts.host} has an incomplete database and cannot serve; repair ${lost}`);
  if (facts.down !== null && !isAccepted(wanted.acceptDataLoss))
    refusals.push(
      `${facts.host} stepped down (${facts.down}) and has no write that ${lost} acknowledged since; to lose those writes: ${command("acceptDataLoss", `why ${lost} will never come back`)}`,
    );
  if (!wanted.fenced && !isAccepted(wanted.acceptSplitBrainRisk))
    refusals.push(
      `no fence can cut ${lost} off; if ${lost} runs, two servers accept writes. Make sure that ${lost} is off, then: ${command("acceptSplitBrainRisk", `how you know that ${lost} is off`)}`,
    );
  return { refusals, notes: [ageOf(facts, lost), ...agesOfCopies(facts, wanted)] };
}

const inMinutes = (seconds: number): string =>
  seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;

/** Copies that are older than allowed or missing, with their ages. */
function oldCopies({ copies }: PairFacts, { copies: names, maxCopyAgeMinutes }: PairWanted): string[] {
  return names.flatMap((name) => {
    const copy = copies[name];
    if (!copy) return [`${name}: never copied`];
    return copy.age_s > maxCopyAgeMinutes * 60 ? [`${name}: ${inMinutes(copy.age_s)} old`] : [];
  });
}

/** The age of each copy, for the operator before a switch. */
function agesOfCopies(facts: PairFacts, { copies: names }: PairWanted): string[] {
  if (names.length === 0) return [];
  const ages = names.map((name) => {
    const copy = facts.copies[name];
    return `${name} ${copy ? `${inMinutes(copy.age_s)} ago` : "never"}`;
  });
  return [`copies on ${facts.host}: ${ages.join(", ")}`];
}

function ageOf({ host, last_commit_s: age }: PairFacts, lost: string): string {
  const last =
    age === null
      ? "no transaction since PostgreSQL started"
      : `its last transaction is from ${age.toFixed(1)} s ago`;
  return `${host}: ${last}; later writes of ${lost} are missing, and are set aside when ${lost} comes back`;
}

/** Whether a switch may begin. The machine that accepts writes now decides: it is a flip, a repair, or the rest of a switch. */
function decideSwitch(looks: readonly Look[], wanted: PairWanted): Verdict {
  const factsOf = (name: string) => looks.find(({ host }) => host === name)?.facts;
  const [next, other] = [factsOf(wanted.production), factsOf(wanted.standby)];
  if (!next || !other) return { refusals: [], notes: [] };
  const open = isOpen(next) || isOpen(other);
  const opened = open
    ? ["an earlier switch stopped half-way; this switch continues from the present state"]
    : [];
  if (writes(next) && writes(other)) {
    return {
      refusals: [
        `${next.host} and ${other.host} both accept writes; decide which one is right, and stop the wrong one by hand (docs/runbook.md, "two servers accept writes")`,
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
      notes: [...opened, `${other.host} accepts writes now`, ...agesOfCopies(next, wanted)],
    };
  }
  if (open) return { refusals: different, notes: [...opened, "no server accepts writes now"] };
  return {
    refusals: [
      ...different,
      `neither ${next.host} nor ${other.host} accepts writes, and no switch is open; start PostgreSQL on the machine that was production last (docs/runbook.md, "no server accepts writes")`,
    ],
    notes: [],
  };
}

function differentData(next: PairFacts, other: PairFacts): string[] {
  if (next.system_id === null || other.system_id === null || next.system_id === other.system_id) return [];
  return [
    `${next.host} and ${other.host} have different databases (system identifiers ${next.system_id} and ${other.system_id}); find out which one belongs to this pair, and move the other one away`,
  ];
}

/** A machine that is down must follow before it may become production, also while a switch is open. */
function whyDown({ host, down }: PairFacts, other: string): string[] {
  if (down === null) return [];
  return [`${host} is down (${down}) and must follow first: set production: ${other}, update, then switch`];
}

/** Why a planned switch must not promote this standby. */
function whyNotReady(facts: PairFacts, source: string, wanted: PairWanted): string[] {
  if (facts.cluster !== "ours" || facts.down !== null) return [];
  if (facts.postgres !== "running")
    return [
      `${facts.host} cannot become production: its PostgreSQL is ${facts.postgres}; start PostgreSQL on ${facts.host}`,
    ];
  if (facts.stands_still) {
    const old = oldCopies(facts, { ...wanted, copies: ["database"] });
    return old.map(
      (copy) =>
        `${facts.host} has an old copy (${copy}, allowed: ${inMinutes(wanted.maxCopyAgeMinutes * 60)}); copy again on ${facts.host}: systemctl start changeover-sync-${wanted.component}`,
    );
  }
  if (!facts.streaming) {
    return [
      `${facts.host} cannot become production: it does not stream from ${source}; see its PostgreSQL log`,
    ];
  }
  const lag = facts.streaming.lag_bytes;
  if (lag !== null && lag > wanted.maxLagMiB * mib) {
    return [
      `${facts.host} is ${(lag / mib).toFixed(1)} MiB behind ${source} (allowed: ${String(wanted.maxLagMiB)} MiB); wait until it has caught up`,
    ];
  }
  return [];
}

/** The file in which a preflight finds `deciders`. */
export const decides = import.meta.filename;
export const deciders = { pair: decidePair };
