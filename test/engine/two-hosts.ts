import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { Bench } from "../support/engine.ts";
import type { TestRow } from "./scenario.ts";
import { failed, ok } from "../support/runs.ts";

export { failed, ok };

export const rows: readonly TestRow[] = [
  { phase: "ready", on: "each" },
  { phase: "fence", on: "standby" },
  { phase: "promote", on: "production", shows: ["production"] },
  { phase: "follow", on: "standby" },
  { phase: "check", on: "production" },
];
/** Goals: production on one host or on the other. */
export const toA = { production: "a", standby: "b" };
export const toB = { production: "b", standby: "a" };
/** What a whole flip to `b` does on the hosts, in order; `ready` runs on both at once. */
export const flipToB = ["ready@a", "ready@b", "fence@a", "promote b@b", "follow@a", "check@b"];
export const flipToA = ["ready@a", "ready@b", "fence@b", "promote a@a", "follow@b", "check@a"];

/** `ready` runs on both hosts at once: its order is nobody's. */
export const inOrder = (acts: string[]): string[] => [...acts.slice(0, 2).sort(), ...acts.slice(2)];

/** A pair-like component on two hosts; each case begins with production on `a`, nothing open, and no trace. */
export function onTwoHosts(begin: (bench: Bench) => void): void {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start(["a", "b"], { transitions: { switch: { rows, goal: toA } } });
    begin(bench);
  });
  afterAll(() => bench.stop());
  beforeEach(async () => {
    for (const host of ["a", "b"]) rmSync(join(bench.rootOf(host), "control"), { force: true });
    bench.set({ transitions: { switch: { rows, goal: toA } } });
    ok(await bench.project.up());
    bench.trace();
  });
}
