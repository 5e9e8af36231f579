import { isOpen } from "../../transition/decide.ts";
import type { Look, PairFacts } from "./decide.ts";
import type { Status } from "./goal.ts";

/** What the state says of a pair: the ids that were carried out, and what they stand for. */
export interface PairExpected {
  readonly component: string;
  readonly transitions: Readonly<Record<string, string>>;
  readonly statuses: Readonly<Record<string, Status>>;
  readonly address: string;
  /** Whether that leaves anything out; undefined in the outputs of an older release. */
  readonly outcome?: string;
}

/** What a machine says of itself besides, which only verify compares. */
export interface VerifiedFacts extends PairFacts {
  readonly status: string | null;
  readonly expired: readonly string[];
}

/** What the goal leaves out, as a line for the reader; nothing when it is complete. */
export function leftOut({ outcome = "complete" }: PairExpected): string[] {
  return outcome === "complete" ? [] : [outcome];
}

const serves = (status: Status): boolean =>
  status === "production" || status === "production_alone" || status === "standby_as_production";

/**
 * Where the machines differ from the state, a line each; empty: all is as the state says. The engine itself never
 * looks ("settled" means that nobody did), so this is asked after a merge, an import, a cancel, a script run by hand.
 */
export function differences(expected: PairExpected, looks: readonly Look[], stack: string): string[] {
  const lines = looks.flatMap((look) => {
    if (!look.facts) return [`${look.host}: ${look.failure ?? "gave no answer"}`];
    return ofMachine(expected, look.facts as VerifiedFacts, stack).map((line) => `${look.host}: ${line}`);
  });
  const holders = looks.filter(({ facts }) => facts?.holds_address).map(({ host }) => host);
  if (holders.length > 1) lines.push(`${expected.address} is held by ${holders.join(" and ")} at once`);
  return lines;
}

function ofMachine(expected: PairExpected, facts: VerifiedFacts, stack: string): string[] {
  const again = (transition: string) =>
    `start it again: npx pulumi up --replace '**::${expected.component}-${transition}-id'`;
  const lines = Object.entries(expected.transitions).flatMap(([transition, id]) =>
    facts.done[transition] === id
      ? []
      : [
          `${transition} ${id} is done in the state, here it is ${facts.done[transition] ?? "none"}; ${again(transition)}`,
        ],
  );
  if (facts.stack !== stack)
    lines.push(`is operated by stack ${facts.stack ?? "none"}, not by this one (${stack})`);
  if (isOpen(facts) && facts.claim) {
    lines.push(
      `${facts.claim.transition} ${facts.claim.id} was begun (epoch ${String(facts.claim.epoch)}) and not ended`,
    );
  }
  for (const id of facts.expired) lines.push(`something that ${id} changed was put back`);
  return [...lines, ...ofRole(expected, facts, again("switch"))];
}

function ofRole(expected: PairExpected, facts: VerifiedFacts, cure: string): string[] {
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
