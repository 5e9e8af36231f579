import type { Gone } from "../system.ts";
import type { Pair } from "./config.ts";
import type { PairExpected } from "./verify.ts";

/** Machines that left the pair, or whose pair left the file: their services would keep running beside new production. */
export const goneFromPair = (before: PairExpected, now: Pair | undefined): Gone[] =>
  Object.keys(before.statuses)
    .filter((host) => now?.primary !== host && now?.secondary !== host)
    .map((host) => ({ host, by: "absent", mustBeSeen: true }));

/** The pairs in the outputs of the release before this one. */
export function earlierPairs(outputs: unknown): Readonly<Record<string, PairExpected>> {
  const { expected = [] } = outputs as { readonly expected?: readonly PairExpected[] };
  return Object.fromEntries(expected.map((pair) => [pair.component, pair]));
}
