import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { timesOf } from "../../transition/receipt.ts";
import { Bench, killGroup } from "../support/engine.ts";
import { commandPluginOf, programOf } from "../support/processes.ts";
import type { TestRow } from "./scenario.ts";
import { ok } from "../support/runs.ts";

const rows: TestRow[] = [
  { phase: "fence", on: "standby" },
  { phase: "promote", on: "production" },
  { phase: "follow", on: "standby" },
];
const toA = { production: "a", standby: "b" };
const toB = { production: "b", standby: "a" };

describe("a run dies", () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start(["a", "b"], { transitions: { switch: { rows, goal: toA } } });
  });
  afterAll(() => bench.stop());

  beforeEach(async () => {
    for (const host of ["a", "b"]) rmSync(join(bench.rootOf(host), "control"), { force: true });
    bench.goal("switch", toA);
    ok(await bench.project.up());
    bench.trace();
  });

  /** Start a flip to `b` whose promote takes its time, and wait until that has begun. */
  const startFlip = async (seconds = 3) => {
    bench.goal("switch", toB);
    bench.control("b", { "promote.wait": String(seconds) });
    const started = bench.project.start(["up", "--yes", "--skip-preview"]);
    await expect
      .poll(() => bench.trace().join(), { timeout: 30_000, interval: 50 })
      .toContain("start promote@b");
    return started;
  };

  const clean = async () => {
    const { resources, pending } = await bench.project.state();
    expect(pending).toEqual([]);
    expect(resources.filter((entry) => entry.delete)).toEqual([]);
  };

  it("attaches to the step that a killed CLI left running, with the commands of the runbook (findings 6 and 7)", async () => {
    const { child, run } = await startFlip(15);
    killGroup(child, "SIGKILL");
    await run;
    const locked = await bench.project.up();
    expect(locked.code).not.toBe(0);
    expect(locked.output).toContain("currently locked");
    ok(await bench.project.pulumi(["cancel", "--yes"]));
    const attached = Date.now();
    const resumed = await bench.project.up();
    ok(resumed);
    const { resources } = await bench.project.state();
    const promote = resources.find(({ urn }) => urn.endsWith("::c-switch-promote-act"));
    const ran = timesOf(promote?.outputs?.stdout as string | undefined);
    expect(ran?.began.getTime(), "the times are the run's, not the second call's").toBeLessThan(attached);
    expect(ran?.seconds).toBeGreaterThan(15);
    const acts = bench.acts();
    expect(acts.filter((act) => act.startsWith("promote"))).toHaveLength(1);
    expect(acts.at(-1)).toBe("follow@a");
    ok(await bench.project.pulumi(["refresh", "--clear-pending-creates", "--yes"]));
    await clean();
    const again = await bench.project.up();
    ok(again);
    expect(again.output).not.toContain("pending");
  });

  it("ends the step whole when the plugin is killed, and resumes (finding 6)", async () => {
    const { child, run } = await startFlip();
    const plugin = commandPluginOf(child.pid ?? 0);
    expect(plugin, "the command plugin runs").toBeDefined();
    process.kill(plugin?.pid ?? 0, "SIGKILL");
    expect((await run).code).not.toBe(0);
    await expect.poll(() => bench.acts().join(), { timeout: 10_000 }).toContain("promote@b");
    ok(await bench.project.up());
    expect(bench.acts()).toContain("follow@a");
    await bench.project.pulumi(["refresh", "--clear-pending-creates", "--yes"]);
    await clean();
  });

  it("fails, and deletes nothing, when the program is killed (finding 10)", async () => {
    const before = (await bench.project.state()).resources
      .filter((entry) => !entry.delete)
      .map(({ urn }) => urn);
    const { child, run } = await startFlip();
    const program = programOf(child.pid ?? 0);
    expect(program, "the program runs").toBeDefined();
    process.kill(program?.pid ?? 0, "SIGKILL");
    const killed = await run;
    expect(killed.code, killed.output).not.toBe(0);
    const after = (await bench.project.state()).resources.map(({ urn }) => urn);
    expect(before.filter((urn) => !after.includes(urn))).toEqual([]);
    ok(await bench.project.up());
    expect(bench.acts()).toContain("follow@a");
    await clean();
  });

  it("lets the running step end when it is interrupted once, and resumes (what held)", async () => {
    const { child, run } = await startFlip();
    if (child.pid !== undefined) process.kill(child.pid, "SIGINT");
    expect((await run).code).not.toBe(0);
    expect(bench.acts()).toContain("promote@b");
    ok(await bench.project.up());
    expect(bench.acts()).toEqual(["follow@a"]);
    await clean();
  });

  it("fails within its limit on a host whose sshd hangs, also when it resumes (finding 8)", async () => {
    bench.goal("switch", toB);
    bench.control("b", { "promote.fail": "1" });
    await bench.project.up();
    bench.control("b", {});
    const sshd = bench.hosts.get("b")?.sshd;
    sshd?.pause();
    const started = Date.now();
    const hung = await bench.project.pulumi(["up", "--yes", "--skip-preview"], 60);
    const seconds = (Date.now() - started) / 1000;
    sshd?.resume();
    expect(hung.code).not.toBe(0);
    expect(hung.output).toContain("says nothing within 5 s");
    expect(hung.output).toContain("changeover:unreachable");
    expect(seconds).toBeLessThan(15);
    ok(await bench.project.up());
  });

  it("notices that a backup of the state was put back, and acts only under a new claim (finding 11)", async () => {
    const { output: backup } = await bench.project.pulumi(["stack", "export"]);
    bench.goal("switch", toB);
    bench.control("b", { "promote.fail": "1" });
    await bench.project.up();
    bench.trace();
    const file = join(bench.project.folder, "backup.json");
    writeFileSync(file, backup);
    ok(await bench.project.pulumi(["stack", "import", "--file", file]));
    bench.goal("switch", toA);
    ok(await bench.project.up());
    expect(bench.acts()).toEqual([]);
    bench.control("b", {});
    ok(await bench.project.up("--replace", "**::c-switch-id"));
    expect(bench.acts()).toEqual(["fence@b", "promote@a", "follow@b"]);
  });
});
