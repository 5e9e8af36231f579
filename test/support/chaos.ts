import { appendFileSync } from "node:fs";
import type { TestContext } from "vitest";
import { type ChaosRecord, chaosKey, readRecords } from "../../tools/workshop/chaos/records.ts";
import type { HostStep, PoolStep } from "./incident.ts";

/** One incident in one step, and how the operator ends it. */
export interface Case<Kind extends string = string, Step extends string = HostStep | PoolStep> {
  readonly step: Step;
  readonly ending: "finish" | "back";
  readonly incident: Kind;
  /** The machine that it meets, where it meets one. */
  readonly which?: "old" | "new";
  /** Whether it is one of those that every run of the tests has; all are had by `npm run chaos`. */
  readonly sampled: boolean;
}

const { CHANGEOVER_CHAOS: file, CHANGEOVER_CHAOS_UNTIL: until } = process.env;

/** Whether this is `npm run chaos`, which has the matrix and nothing else. */
export const inChaos = file !== undefined;

/** The cases of this run: the sample, or for `npm run chaos` all that it has not seen pass. */
export function chosen<Kind extends { readonly sampled: boolean }>(cases: readonly Kind[]): Kind[] {
  if (file === undefined) return cases.filter(({ sampled }) => sampled);
  const passed = new Set(
    readRecords(file)
      .filter(({ result }) => result === "passed")
      .map(chaosKey),
  );
  return cases.filter((one) => !passed.has(chaosKey(one as unknown as Case<string, string>)));
}

/** Write down how a case ended, for `npm run chaos` to go on from, and begin none past its time. */
export function recorded<Kind extends Case<string, string>>(
  body: (one: Kind) => Promise<void>,
): (one: Kind, context: TestContext) => Promise<void> {
  return async (one, context) => {
    if (file === undefined) return body(one);
    if (until !== undefined && Date.now() > Number(until)) return context.skip("the time of this run is up");
    const started = performance.now();
    const write = (result: ChaosRecord["result"]): void => {
      const seconds = Math.round((performance.now() - started) / 1000);
      const { step, ending, incident, which } = one;
      appendFileSync(file, `${JSON.stringify({ step, ending, incident, which, result, seconds })}\n`);
    };
    try {
      await body(one);
      write("passed");
    } catch (error) {
      write("failed");
      throw error;
    }
  };
}
