import { describe, expect, it } from "vitest";
import type { Bench } from "../support/engine.ts";
import { failed, flipToA, inOrder, ok, onTwoHosts, toA, toB } from "./two-hosts.ts";

describe("the way back from a step that failed", () => {
  let bench: Bench;
  const flip = (goal: Record<string, string>) => {
    bench.goal("switch", goal);
  };

  onTwoHosts((started) => {
    bench = started;
  });

  it.each(["ready", "fence", "promote", "follow", "check"])(
    "runs every step when the goal is flipped back after %s failed",
    async (step) => {
      flip(toB);
      for (const host of ["a", "b"]) bench.control(host, { [`${step}.fail`]: "1" });
      failed(await bench.project.up());
      bench.trace();
      for (const host of ["a", "b"]) bench.control(host, {});
      flip(toA);
      ok(await bench.project.up());
      expect(inOrder(bench.acts())).toEqual(flipToA);
    },
  );
});
