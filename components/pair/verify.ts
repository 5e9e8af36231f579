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
  { cure, isServed }: { readonly cure: string; readonly isServed: boolean },
): string[] {
  const wanted = expected.statuses[facts.host];
  if (wanted === undefined) return [];
  const lines: string[] = [];
  if (facts.status !== wanted)
    lines.push(`its status file has ${facts.status ?? "no status"}, the state has ${wanted}`);
  const writer = writes(facts);
  if (serves(wanted) && !writer)
    lines.push(`rejects writes (PostgreSQL ${facts.postgres}), but the state has ${wanted}; ${cure}`);
  if (!serves(wanted) && writer) lines.push(`accepts writes, but the state has ${wanted}; ${cure}`);
  if (serves(wanted) && !facts.holds_address && expected.address !== "none") {
    lines.push(`does not hold ${expected.address}; ${cure}`);
  }
  const behind = serves(wanted) || writer ? undefined : whyBehind(facts);
  if (behind !== undefined) lines.push(`${behind}${isServed ? `; ${cure}` : ""}`);
  const { replay } = facts;
  if (behind === undefined && replay && replay.kind !== "delayed") lines.push(replay.why);
  return lines;
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
