import type { Look, PairFacts } from "./decide.ts";
import type { Status } from "./goal.ts";

/** What the state says of a pair, beyond the records of its transitions. */
export interface PairExpected {
  readonly component: string;
  readonly statuses: Readonly<Record<string, Status>>;
  readonly address: string;
}

/** What a machine says of itself besides, which only verify compares. */
export interface VerifiedFacts extends PairFacts {
  readonly status: string | null;
  readonly expired: readonly string[];
}

const serves = (status: Status): boolean =>
  status === "production" || status === "production_alone" || status === "standby_as_production";

/** Where the machines differ from the state, a line each, beyond their records; empty: all is as the state says. */
export function differences(expected: PairExpected, looks: readonly Look[]): string[] {
  const lines = looks.flatMap(({ host, facts }) =>
    facts ? ofRole(expected, facts as VerifiedFacts).map((line) => `${host}: ${line}`) : [],
  );
  const holders = looks.filter(({ facts }) => facts?.holds_address).map(({ host }) => host);
  if (holders.length > 1) lines.push(`${expected.address} is held by ${holders.join(" and ")} at once`);
  return lines;
}

function ofRole(expected: PairExpected, facts: VerifiedFacts): string[] {
  const cure = `start it again: npx pulumi up --replace '**::${expected.component}-switch-id'`;
  const wanted = expected.statuses[facts.host];
  if (wanted === undefined) return [];
  const lines: string[] = [];
  if (facts.status !== wanted)
    lines.push(`its status file says ${facts.status ?? "nothing"}, the state says ${wanted}`);
  const writer = facts.postgres === "running" && facts.in_recovery === false;
  if (serves(wanted) && !writer)
    lines.push(`is to accept writes, but does not (PostgreSQL ${facts.postgres}); ${cure}`);
  if (!serves(wanted) && writer) lines.push(`accepts writes, but is to be ${wanted}; ${cure}`);
  if (serves(wanted) && !facts.holds_address && expected.address !== "none") {
    lines.push(`does not hold ${expected.address}; ${cure}`);
  }
  if (!serves(wanted) && !writer && !facts.streaming && !facts.stands_still)
    lines.push("does not stream from production; see its PostgreSQL log");
  return lines;
}
