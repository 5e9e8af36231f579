import type { Look } from "../transition/decide.ts";
import { markDifferences, type MarkFacts, openDifferences, openOf } from "../transition/marks.ts";
import type { OpenTransition } from "../transition/open.ts";
import { type Entry, looksAt, scriptsAt, silence, type StackOutputs } from "./stack.ts";

/**
 * What differs in one entry, and whether every host of it answered.
 *
 * @param unfinished what the state has not ended. An entry with such a transition is between two states: its records are
 * compared, and what its hosts are is not.
 */
export async function compare(
  entry: Entry,
  records: readonly Look<MarkFacts>[],
  { stackId, targets }: StackOutputs,
  unfinished: readonly OpenTransition[] = [],
) {
  const { system, name, expected, marks } = entry;
  const hosts = new Set(marks.map(({ host }) => host));
  const own = records.filter(({ host }) => hosts.has(host));
  const seen = await looksAt(entry, targets);
  const silent = [...own, ...seen.map(({ look }) => look)].filter(({ facts }) => !facts);
  const open = openOf(marks, unfinished);
  const differences = [
    ...openDifferences(open, marks, own),
    ...markDifferences(marks, own, stackId, open),
    ...(open.length > 0 ? [] : system.differences(name, expected, seen, (host) => scriptsAt(host, targets))),
  ];
  return { lines: [...new Set([...silent.map(silence), ...differences])], answered: silent.length === 0 };
}

/** What the hosts of one entry are now, a line each, and whether all of them answered. */
export async function describe(entry: Entry, targets: StackOutputs["targets"]) {
  const { system, name, expected, outcome } = entry;
  const seen = await looksAt(entry, targets);
  const lines = seen.map((one) =>
    one.look.facts ? `${one.look.host}: ${system.describe(name, expected, one)}` : silence(one.look),
  );
  return {
    lines: [...(outcome === "complete" ? [] : [outcome]), ...new Set(lines)].map(
      (line) => `${name}: ${line}`,
    ),
    answered: seen.every(({ look }) => look.facts),
  };
}
