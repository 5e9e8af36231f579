import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { unfinished } from "../../transition/open.ts";
import type { Bench } from "../support/engine.ts";
import { stepsIn } from "../support/previewed.ts";
import type { TestRow } from "./scenario.ts";
import { failed, flipToA, flipToB, inOrder, ok, rows, onTwoHosts, toA, toB } from "./two-hosts.ts";

describe("a goal flips on two hosts", () => {
  let bench: Bench;
  const flip = (goal: Record<string, string>) => {
    bench.goal("switch", goal);
  };

  onTwoHosts((started) => {
    bench = started;
  });

  it("runs every step once, in the order of the table, and what the preview listed", async () => {
    flip(toB);
    const preview = await bench.project.pulumi(["preview"]);
    ok(preview);
    const up = await bench.project.up();
    ok(up);
    expect(inOrder(bench.acts())).toEqual(flipToB);
    expect(stepsIn(preview.output, "c")).toEqual(stepsIn(up.output, "c"));
    expect(stepsIn(up.output, "c")).toContain("c-switch-promote-act");
  });

  it("shows in the preview which host each step moves to", async () => {
    flip(toB);
    const { output } = await bench.project.pulumi(["preview", "--diff"]);
    expect(output).toMatch(/host\s*: "a" => "b"/);
    expect(output).toMatch(/host\s*: "b" => "a"/);
  });

  it("dials nothing when nothing changed", async () => {
    const before = bench.connections();
    const up = await bench.project.up();
    ok(up);
    expect(bench.connections() - before).toBe(0);
    expect(bench.trace()).toEqual([]);
  });

  it("resumes exactly where a step failed (what held)", async () => {
    flip(toB);
    bench.control("b", { "promote.fail": "1" });
    failed(await bench.project.up());
    expect(inOrder(bench.acts())).toEqual(flipToB.slice(0, 3));
    bench.control("b", {});
    ok(await bench.project.up());
    expect(bench.acts()).toEqual(flipToB.slice(3));
  });

  it("says of a state whether every transition ended, for whoever wants to rename one (finding 9)", async () => {
    const said = async () => {
      const { resources, pending } = await bench.project.state();
      return unfinished(resources, pending);
    };
    expect(await said()).toEqual([]);
    bench.control("b", { "promote.fail": "1" });
    flip(toB);
    failed(await bench.project.up());
    expect((await said()).join("\n")).toMatch(/c-switch \w{16} is open: .*c-promote|c-switch-promote/);
    bench.control("b", {});
    ok(await bench.project.up());
    expect(await said()).toEqual([]);
  });

  it("clears the old halves of many broken runs with one good one (finding 16)", async () => {
    for (const host of ["a", "b"]) bench.control(host, { "check.fail": "1" });
    for (const goal of [toB, toA, toB]) {
      flip(goal);
      failed(await bench.project.up());
    }
    expect((await bench.project.state()).resources.some((entry) => entry.delete)).toBe(true);
    for (const host of ["a", "b"]) bench.control(host, {});
    ok(await bench.project.up());
    expect((await bench.project.state()).resources.filter((entry) => entry.delete)).toEqual([]);
  });

  it("does not go on when what it relies on was put back meanwhile (finding 1)", async () => {
    flip(toB);
    bench.control("a", { "ready.temporary": "1" });
    bench.control("b", { "promote.fail": "1" });
    failed(await bench.project.up());
    await expect.poll(() => bench.trace().join(), { timeout: 20_000 }).toContain("back ready@a");
    bench.control("b", {});
    const resumed = await bench.project.up();
    failed(resumed);
    expect(resumed.output).toContain("was put back; start again: npx pulumi up --replace '**::c-switch-id'");
    bench.trace();
    bench.control("a", {});
    ok(await bench.project.up("--replace", "**::c-switch-id"));
    expect(inOrder(bench.acts())).toEqual(flipToB);
  });

  it.each([
    ["inserted", [...rows.slice(0, 2), { phase: "freeze", on: "each" }, ...rows.slice(2)]],
    ["renamed", rows.map((row) => (row.phase === "fence" ? { ...row, phase: "stop-writes" } : row))],
    [
      "reworded",
      rows.map((row) => (row.phase === "fence" ? { ...row, shows: ["production", "standby"] } : row)),
    ],
    ["dropped", rows.filter((row) => row.phase !== "follow")],
  ] as [string, TestRow[]][])(
    "acts on nothing when a release has %s a step of a settled table (finding 2)",
    async (_, edited) => {
      bench.rows("switch", edited);
      ok(await bench.project.up());
      expect(bench.acts()).toEqual([]);
    },
  );

  it("acts on nothing when one step was destroyed alone (finding 2)", async () => {
    ok(
      await bench.project.pulumi([
        "destroy",
        "--yes",
        "--target",
        "**::c-switch-fence-act",
        "--target-dependents",
      ]),
    );
    ok(await bench.project.up());
    expect(bench.acts()).toEqual([]);
  });

  it("starts none when a script, a key or an address changes, and leaves the script that may run (finding 19)", async () => {
    const opt = join(bench.rootOf("a"), "opt");
    const releases = () =>
      Object.fromEntries(
        readdirSync(opt).map((id) => [id, readFileSync(join(opt, id, "scripts", "t", "act.sh"), "utf8")]),
      );
    const before = releases();
    writeFileSync(join(bench.scripts, "t", "act.sh"), "\n# edited\n", { flag: "a" });
    const { hosts } = bench.now;
    const a = hosts.a;
    if (!a) throw new Error("no host a");
    bench.set({ hosts: { ...hosts, a: { ...a, ssh: { ...a.ssh, host: "localhost" } } } });
    ok(await bench.project.up());
    expect(bench.trace()).toEqual([]);
    const after = releases();
    expect(after).toMatchObject(before);
    expect(Object.keys(after)).toHaveLength(Object.keys(before).length + 1);
    bench.set({ hosts });
  });

  it("runs all that is about a rebuilt machine, not only what is on it (finding 3)", async () => {
    const { hosts } = bench.now;
    const a = hosts.a;
    if (!a) throw new Error("no host a");
    bench.set({ hosts: { ...hosts, a: { ...a, identity: "a-2" } } });
    ok(await bench.project.up());
    expect(inOrder(bench.acts())).toEqual(flipToA);
    bench.set({ hosts });
  });

  it("acts on nothing for a target, and is complete afterwards (finding 4)", async () => {
    flip(toB);
    for (const step of [
      "c-switch-fence-act",
      "c-switch-promote-act",
      "c-switch-claim-b",
      "c-switch-done-a",
    ]) {
      ok(await bench.project.up("--target", `**::${step}`));
      expect(bench.acts(), step).toEqual([]);
    }
    ok(await bench.project.up());
    expect(inOrder(bench.acts())).toEqual(flipToB);
  });

  it("refuses the first of two runs once the second has claimed (finding 5)", async () => {
    flip(toB);
    bench.control("b", { "promote.wait": "8" });
    const first = bench.project.start(["up", "--yes", "--skip-preview"]);
    await expect.poll(() => bench.trace().join(), { timeout: 30_000 }).toContain("start promote@b");
    ok(await bench.project.pulumi(["cancel", "--yes"]));
    flip(toA);
    bench.control("b", {});
    ok(await bench.project.up());
    const beaten = await first.run;
    failed(beaten);
    expect(beaten.output).toMatch(/refused: \S+ is claimed by switch/);
    // The second waits for the step that holds the lock of `b`; nothing of the first comes after it.
    const acts = bench.acts();
    const [promoted, ...back] = acts.slice(acts.indexOf("promote b@b"));
    expect([promoted, ...inOrder(back)]).toEqual(["promote b@b", ...inOrder(flipToA)]);
    await bench.project.pulumi(["refresh", "--clear-pending-creates", "--yes"]);
    ok(await bench.project.up());
  });

  it("keeps a secret on stdin out of the state, the trace and the command line", async () => {
    bench.rows(
      "switch",
      rows.map((row) => (row.phase === "promote" ? { ...row, stdin: "word" } : row)),
    );
    bench.set({ secret: "correct-horse-battery" });
    flip(toB);
    const up = await bench.project.up();
    ok(up);
    expect(bench.acts()).toContain("promote b with a secret of 21@b");
    const { output } = await bench.project.pulumi(["stack", "export"]);
    expect(output + up.output).not.toContain("correct-horse-battery");
  });
});
