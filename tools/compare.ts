import type { LookedEntry } from "../config/last-look.ts";
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

/** What the hosts of one entry say now. */
export async function lookedAt(entry: Entry, targets: StackOutputs["targets"]): Promise<LookedEntry> {
  const { system, name, expected, outcome } = entry;
  return { system: system.key, name, expected, outcome, seen: await looksAt(entry, targets) };
}

/** Whether every host that was asked gave an answer. */
export const allAnswered = (looked: readonly LookedEntry[]): boolean =>
  looked.every(({ seen }) => seen.every(({ look }) => look.facts));
