import { afterEach, describe, expect, it } from "vitest";
import { Bench } from "../support/engine.ts";
import type { TestRow } from "./scenario.ts";

const each = (phase: string): TestRow => ({ phase, on: "each" });

describe("order and what is left out", () => {
  let bench: Bench;
  afterEach(() => bench.stop());

  it("does not start a transition when the one before it failed (finding 12)", async () => {
    bench = await Bench.start(["a"], {
      transitions: {
        provision: { rows: [each("packages")], goal: { version: "1" } },
        switch: { rows: [each("promote")], goal: { production: "a" } },
      },
    });
    bench.control("a", { "packages.fail": "1" });
    expect((await bench.project.up()).code).not.toBe(0);
    expect(bench.trace().filter((line) => line.includes("promote"))).toEqual([]);
    bench.control("a", {});
    expect((await bench.project.up()).code).toBe(0);
    expect(bench.acts()).toEqual(["packages@a", "promote@a"]);
  });

  it("lets the rest of a phase end and starts nothing of the next one when one host fails (what held)", async () => {
    bench = await Bench.start(["a", "b"], {
      transitions: { roll: { rows: [each("one"), each("two")], goal: { release: "1" } } },
    });
    bench.control("a", { "one.fail": "1" });
    bench.control("b", { "one.wait": "1" });
    expect((await bench.project.up("--continue-on-error")).code).not.toBe(0);
    expect(bench.acts()).toEqual(["one@b"]);
    bench.control("a", {});
    expect((await bench.project.up()).code).toBe(0);
    expect(bench.acts().sort()).toEqual(["one@a", "two@a", "two@b"]);
  });

  it("dials no host in unreachable, copies it nothing, and runs its steps when it returns (findings 13, 17, 20)", async () => {
    const rows: TestRow[] = [
      { ...each("before"), mayBeSkipped: true },
      { ...each("after"), mayBeSkipped: true },
    ];
    bench = await Bench.start(["a", "b"], { transitions: { roll: { rows, goal: { release: "1" } } } });
    bench.set({ unreachable: ["b"] });
    const preview = await bench.project.pulumi(["preview"]);
    expect(preview.output).toContain("c-roll-skipped-b");
    expect(preview.output).not.toMatch(/c-roll-\S+-act-b/);
    expect((await bench.project.up()).code).toBe(0);
    expect(bench.acts()).toEqual(["before@a", "after@a"]);
    expect(bench.hosts.get("b")?.sshd.connections()).toBe(0);
    bench.set({ unreachable: [] });
    const returned = await bench.project.up();
    expect(returned.code, returned.output).toBe(0);
    expect(bench.acts()).toEqual(["before@b", "after@b"]);
  });

  it("starts a phase on no host before the one before it has ended on all", async () => {
    const rows: TestRow[] = [each("first"), each("last")];
    bench = await Bench.start(["a", "b"], { transitions: { roll: { rows, goal: { release: "1" } } } });
    bench.control("a", { "first.wait": "1" });
    expect((await bench.project.up()).code).toBe(0);
    const acts = bench.acts();
    expect(acts.indexOf("last@b")).toBeGreaterThan(acts.indexOf("first@a"));
  });

  it("refuses to skip a row that must not be skipped, before any step", async () => {
    const rows: TestRow[] = [each("fence")];
    bench = await Bench.start(["a", "b"], { transitions: { roll: { rows, goal: { release: "1" } } } });
    bench.set({ unreachable: ["b"] });
    const refused = await bench.project.up();
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain("c-roll: t/act must not be skipped, but b is in changeover:unreachable");
    expect(bench.trace()).toEqual([]);
    expect(bench.hosts.get("b")?.sshd.connections()).toBe(0);
  });

  it("joins phases by one gate, not by every step with every other (finding 14)", async () => {
    const rows: TestRow[] = [each("one"), each("two"), each("three")];
    bench = await Bench.start(["a", "b"], { transitions: { roll: { rows, goal: { release: "1" } } } });
    expect((await bench.project.up()).code).toBe(0);
    const { resources } = await bench.project.state();
    const step = resources.find(({ urn }) => urn.endsWith("c-roll-two-act-a"));
    const before = (step?.dependencies ?? []).filter((urn) => /::c-roll-one/.test(urn));
    expect(before.map((urn) => urn.split("::").at(-1))).toEqual(["c-roll-one-gate"]);
  });
});
