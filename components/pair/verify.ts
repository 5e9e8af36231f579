import type { Look, PairFacts } from "./decide.ts";
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
}

/** Differences between the machines and the state, besides their marks: a line each. */
export function differences(expected: PairExpected, looks: readonly Look[]): string[] {
  const lines = looks.flatMap(({ host, facts }) =>
    facts ? differencesOf(expected, facts as VerifiedFacts).map((line) => `${host}: ${line}`) : [],
  );
  const holders = looks.filter(({ facts }) => facts?.holds_address).map(({ host }) => host);
  if (holders.length > 1)
    lines.push(`${expected.address} is held by ${holders.join(" and ")}; allowed: one machine`);
  return lines;
}

function differencesOf(expected: PairExpected, facts: VerifiedFacts): string[] {
  const cure = `start the switch again: npx pulumi up --replace '**::${expected.component}-switch-id'`;
  const wanted = expected.statuses[facts.host];
  if (wanted === undefined) return [];
  const lines: string[] = [];
  if (facts.status !== wanted)
    lines.push(`its status file has ${facts.status ?? "no status"}, the state has ${wanted}`);
  const writer = facts.postgres === "running" && facts.in_recovery === false;
  if (serves(wanted) && !writer)
    lines.push(`rejects writes (PostgreSQL ${facts.postgres}), but the state has ${wanted}; ${cure}`);
  if (!serves(wanted) && writer) lines.push(`accepts writes, but the state has ${wanted}; ${cure}`);
  if (serves(wanted) && !facts.holds_address && expected.address !== "none") {
    lines.push(`does not hold ${expected.address}; ${cure}`);
  }
  if (!serves(wanted) && !writer && !facts.streaming && !facts.stands_still)
    lines.push("does not stream from production; see its PostgreSQL log");
  return lines;
}
