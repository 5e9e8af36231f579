import { isOpen } from "../../transition/decide.ts";
import {
  acceptingOf,
  agesOfCopies,
  inMinutes,
  type Look,
  mib,
  oldCopies,
  type PairFacts,
  type PairWanted,
  servesAlready,
  type Verdict,
  writes,
} from "./facts.ts";
import { leftBehind } from "./left-behind.ts";

/** Whether a switch may begin. The machine that accepts writes now decides: it is a flip, a repair, or the rest of a switch. */
export function decideSwitch(looks: readonly Look[], wanted: PairWanted, epoch: number): Verdict {
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
    return {
      refusals: [...different, ...whatItLacks(next, other, wanted, epoch)],
      notes: [...opened, ...notes, ...copiesAnew(other, next.host)],
      tail,
    };
  }
  const lost = whyUnusable(next, other);
  if (lost.length > 0) return { refusals: [...different, ...lost], notes: opened };
  if (writes(other)) {
    const lag = open ? [] : whyNotReady(next, other.host, wanted);
    const left = open ? { refusals: [], notes: [] } : whatIsLeft(other, next, wanted, epoch);
    return {
      refusals: [...different, ...lag, ...left.refusals],
      notes: [...opened, `${other.host} accepts writes now`, ...agesOfCopies(next, wanted), ...left.notes],
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

const bytesOf = (position: string): number => {
  const [high = "", low = ""] = position.split("/");
  return parseInt(high, 16) * 2 ** 32 + parseInt(low, 16);
};

/** A machine that a person promoted, while production was fenced, may lack what production wrote before its fence. */
function whatItLacks(next: PairFacts, other: PairFacts, wanted: PairWanted, epoch: number): string[] {
  const { fence } = other;
  if (fence?.was !== "writer" || !fence.position || !next.forked_at) return [];
  // What a machine without usable data wrote is not known. A fence that a promotion by this program followed is done with.
  if (fence.position.startsWith("FFFFFFFF/") || Number(fence.epoch) <= (next.serving ?? 0)) return [];
  const lacks = bytesOf(fence.position) - bytesOf(next.forked_at);
  const { command, isAccepted } = acceptingOf(wanted, epoch);
  if (lacks <= 0 || isAccepted(wanted.acceptDataLoss)) return [];
  return [
    `${next.host} was promoted by hand at ${next.forked_at} and lacks the last ${String(lacks)} bytes of log of ${other.host}, which wrote up to ${fence.position}; to lose them (they are set aside on ${other.host}): ${command("acceptDataLoss", "WHY")}`,
  ];
}

function differentData(next: PairFacts, other: PairFacts): string[] {
  if (next.system_id === null || other.system_id === null || next.system_id === other.system_id) return [];
  return [
    `${next.host} and ${other.host} have different databases (system identifiers ${next.system_id} and ${other.system_id}); find out which one belongs to this pair, and move the other one away`,
  ];
}

/** A machine whose data no server can start with gets a copy of the other one's. */
const copiesAnew = ({ host, unusable }: PairFacts, source: string): string[] =>
  unusable ? [`${host}: ${unusable}; it gets a copy of ${source}, and what it has is set aside`] : [];

/** What a machine without usable data wrote last is not known, so nobody is promoted after it. */
function whyUnusable(next: PairFacts, other: PairFacts): string[] {
  if (next.unusable)
    return [
      `${next.host} cannot become production: ${next.unusable}; it must follow first: set production: ${other.host}, update, then switch`,
    ];
  if (!other.unusable) return [];
  return [
    `${other.host} was production and cannot say what it wrote last: ${other.unusable}; restore its data, or give it up: add ${other.host} to changeover:unreachable (docs/runbook.md, "a machine is dead")`,
  ];
}

/** What a planned switch would lose or leave behind. Nobody looked where a machine has an older release. */
function whatIsLeft(from: PairFacts, to: PairFacts, wanted: PairWanted, epoch: number) {
  if (!from.belongings || !to.belongings) return { refusals: [], notes: [] };
  const { command, isAccepted } = acceptingOf(wanted, epoch);
  return leftBehind(
    { host: from.host, has: from.belongings },
    { host: to.host, has: to.belongings },
    {
      isAccepted: isAccepted(wanted.acceptDataLoss),
      command: (why) => command("acceptDataLoss", why),
    },
  );
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
  if (facts.replay) return [`${facts.host} cannot become production: ${facts.replay.why}`];
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
