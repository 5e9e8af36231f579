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

/** What a host of an entry is now, in words; or why there are none. */
export interface Said {
  readonly host: string;
  readonly words: string;
  readonly answered: boolean;
}

/** What the hosts of one entry are now, each in a line; a host is asked for each part that it has in the entry. */
export async function said(entry: Entry, targets: StackOutputs["targets"]): Promise<Said[]> {
  const { system, name, expected } = entry;
  const seen = await looksAt(entry, targets);
  return seen.map((one) => {
    const { host, facts, failure = "gave no answer" } = one.look;
    return facts
      ? { host, words: system.describe(name, expected, one), answered: true }
      : { host, words: failure, answered: false };
  });
}

/** The same as lines for a terminal, and whether all hosts answered. */
export async function describe(entry: Entry, targets: StackOutputs["targets"]) {
  const { name, outcome } = entry;
  const hosts = await said(entry, targets);
  const lines = new Set(hosts.map(({ host, words }) => `${host}: ${words}`));
  return {
    lines: [...(outcome === "complete" ? [] : [outcome]), ...lines].map((line) => `${name}: ${line}`),
    answered: hosts.every(({ answered }) => answered),
  };
}
