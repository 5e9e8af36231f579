import { expect } from "vitest";
import type { Run } from "./engine.ts";

/** The run ended well; if not, what it said is shown. */
export const ok = (run: Run): void => {
  expect(run.code, run.output).toBe(0);
};

export const failed = (run: Run): void => {
  expect(run.code, run.output).not.toBe(0);
};
