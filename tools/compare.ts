import type { Look } from "../transition/decide.ts";
import { markDifferences, type MarkFacts } from "../transition/marks.ts";
import { type Entry, looksAt, scriptsAt, silence, type StackOutputs } from "./stack.ts";

/** What differs in one entry, and whether every host of it answered. */
export async function compare(
  entry: Entry,
  records: readonly Look<MarkFacts>[],
  { stackId, targets }: StackOutputs,
) {
  const { system, name, expected, marks } = entry;
  const hosts = new Set(marks.map(({ host }) => host));
  const own = records.filter(({ host }) => hosts.has(host));
  const seen = await looksAt(entry, targets);
  const silent = [...own, ...seen.map(({ look }) => look)].filter(({ facts }) => !facts);
  const differences = [
    ...markDifferences(marks, own, stackId),
    ...system.differences(name, expected, seen, (host) => scriptsAt(host, targets)),
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
