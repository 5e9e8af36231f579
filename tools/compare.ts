import type { LookedEntry } from "../config/last-look.ts";
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

/** What the hosts of one entry say now. */
export async function lookedAt(entry: Entry, targets: StackOutputs["targets"]): Promise<LookedEntry> {
  const { system, name, expected, outcome } = entry;
  return { system: system.key, name, expected, outcome, seen: await looksAt(entry, targets) };
}

/** Whether every host that was asked gave an answer. */
export const allAnswered = (looked: readonly LookedEntry[]): boolean =>
  looked.every(({ seen }) => seen.every(({ look }) => look.facts));
