import { type Look, type PairFacts, writes } from "./facts.ts";
import { serves, type Status } from "./goal.ts";

/** The state of a pair in the outputs, besides the marks of its transitions. */
export interface PairExpected {
  readonly component: string;
  readonly statuses: Readonly<Record<string, Status>>;
  readonly address: string;
}

/** Further facts of a machine, which only verify and look use. */
export interface VerifiedFacts extends PairFacts {
  readonly status: string | null;
  readonly expired: readonly string[];
  /** The rules that admit only the other machine; `unwatched`: nothing loads them again. */
  readonly peer_port?: "loaded" | "unwatched" | "missing" | null;
  /** The unit of a server that ran at this boot and then was stopped by a person. */
  readonly stopped_by_hand?: string | null;
}

/** Differences between the machines and the state, besides their marks: a line each. */
export function differences(expected: PairExpected, looks: readonly Look[]): string[] {
  const isServed = looks.some(({ facts }) => facts && writes(facts));
  // A switch can't begin while nobody writes, so starting it again would be refused.
  const cure = isServed
    ? `start the switch again: npx pulumi up --replace '**::${expected.component}-switch-id'`
    : 'start PostgreSQL on the machine that was production last (docs/runbook.md, "no server accepts writes")';
  const lines = looks.flatMap(({ host, facts }) =>
    facts
      ? differencesOf(expected, facts as VerifiedFacts, { cure, isServed }).map((line) => `${host}: ${line}`)
      : [],
  );
  const holders = looks.filter(({ facts }) => facts?.holds_address).map(({ host }) => host);
  if (holders.length > 1)
    lines.push(`${expected.address} is held by ${holders.join(" and ")}; allowed: one machine`);
  return lines;
}

function differencesOf(
  expected: PairExpected,
  facts: VerifiedFacts,
  { cure: general, isServed }: { readonly cure: string; readonly isServed: boolean },
): string[] {
  const wanted = expected.statuses[facts.host];
  if (wanted === undefined) return [];
  const lines = ofPeerPort(expected, facts);
  if (facts.status !== wanted)
    lines.push(`its status file has ${facts.status ?? "no status"}, the state has ${wanted}`);
  const writer = writes(facts);
  const start = startsByHand(facts, serves(wanted) ? !isServed : facts.standby_signal);
  const cure = start ?? general;
  if (serves(wanted) && !writer)
    lines.push(`rejects writes (PostgreSQL ${facts.postgres}), but the state has ${wanted}; ${cure}`);
  if (!serves(wanted) && writer) lines.push(`accepts writes, but the state has ${wanted}; ${cure}`);
  if (serves(wanted) && !facts.holds_address && expected.address !== "none") {
    lines.push(`does not hold ${expected.address}; ${cure}`);
  }
  const behind = serves(wanted) || writer ? undefined : whyBehind(facts);
  if (behind !== undefined) lines.push(`${behind}${isServed || start !== undefined ? `; ${cure}` : ""}`);
  const { replay } = facts;
  if (behind === undefined && replay && replay.kind !== "delayed") lines.push(replay.why);
  return lines;
}

/** The cure for a server that a person stopped; undefined for one that must not start as what its data says. */
const startsByHand = ({ host, stopped_by_hand: unit }: VerifiedFacts, may: boolean): string | undefined =>
  unit && may ? `a person stopped it; start it on ${host}: systemctl start ${unit}` : undefined;

function ofPeerPort({ component }: PairExpected, { peer_port: rules }: VerifiedFacts): string[] {
  const again = `start again: npx pulumi up --replace '**::${component}-provision-id'`;
  if (rules === "missing")
    return [`lets every host reach the port of its peer: its rules of nftables are not loaded; ${again}`];
  if (rules === "unwatched")
    return [
      `lets every host reach the port of its peer after the next flush of nftables: nothing loads its rules again; ${again}`,
    ];
  return [];
}

/** Why a standby does not follow production; undefined for one that does, or that need not between its copies. */
function whyBehind({ down, unusable, postgres, streaming, stands_still }: PairFacts): string | undefined {
  if (postgres === "running" && (streaming || stands_still)) return undefined;
  const why = [
    down === null ? [] : [down],
    unusable ?? [],
    postgres === "running" ? [] : [`PostgreSQL ${postgres}`],
  ].flat();
  return `does not follow production${why.length > 0 ? ` (${why.join("; ")})` : ", see its PostgreSQL log"}`;
}
