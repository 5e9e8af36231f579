import {
  acceptingOf,
  agesOfCopies,
  inMinutes,
  oldCopies,
  type PairFacts,
  type PairWanted,
  servesAlready,
  type Verdict,
  writes,
} from "./facts.ts";

/** Whether a machine may serve alone, and what that can lose. */
export function decideAlone(facts: PairFacts, lost: string, wanted: PairWanted, epoch: number): Verdict {
  if (writes(facts)) return { refusals: [], ...servesAlready(facts.host) };
  const { command, isAccepted } = acceptingOf(wanted, epoch);
  const refusals: string[] = [];
  const old = oldCopies(facts, wanted);
  if (old.length > 0 && !isAccepted(wanted.acceptDataLoss))
    refusals.push(
      `${facts.host} has old copies (${old.join(", ")}; allowed: ${inMinutes(wanted.maxCopyAgeMinutes * 60)}); to serve the old copies: ${command("acceptDataLoss", "why no newer copy exists")}`,
    );
  if (facts.unusable) refusals.push(`${facts.host} cannot serve: ${facts.unusable}; repair ${lost}`);
  if (facts.replay?.kind === "short") refusals.push(`${facts.host}: ${facts.replay.why}`);
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

function ageOf({ host, last_commit_s: age }: PairFacts, lost: string): string {
  const last =
    age === null
      ? "no transaction since PostgreSQL started"
      : `its last transaction is from ${age.toFixed(1)} s ago`;
  return `${host}: ${last}; later writes of ${lost} are missing, and are set aside when ${lost} comes back`;
}
