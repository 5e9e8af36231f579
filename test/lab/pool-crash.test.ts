import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cut, mend, powerCut, whyNoLab } from "../../tools/lab/lab.ts";
import { killGroup, type Run } from "../support/engine.ts";
import { arrange, clear, type Incident, type PoolStep, reached } from "../support/incident.ts";
import { PoolSite } from "../support/pool-site.ts";
import { failed, ok } from "../support/runs.ts";

const minute = 60_000;

/** Every step of a release, failed and killed; how the operator ends it. The sample is had by every run of the tests. */
const steps: readonly PoolStep[] = ["claim", "stage", "drain", "release", "enter", "done"];
const whole = process.env.CHANGEOVER_POOL_CRASH === "all";
const sampled = (index: number, one: number) => whole || index % 3 === one;

const failures = steps.flatMap((step, index) => [
  ...(sampled(index, 0) ? [[step, "before", "finish"] as const] : []),
  ...(sampled(index, 1) ? [[step, "after", "back"] as const] : []),
]);
const kills = steps.flatMap((step, index) =>
  sampled(index, 2) ? [[step, index % 2 ? "finish" : "back"] as const] : [],
);
const losses = steps.flatMap((step, index) => [
  ...(sampled(index, 2) ? [[step, "balancer"] as const] : []),
  ...(sampled(index, 0) && step !== "claim" ? [[step, "server"] as const] : []),
]);

/** Three servers behind two balancers: whatever stops in the middle, the pool ends in the goal or in what was there. */
describe.skipIf(whyNoLab() !== undefined)("a release that is stopped half-way", () => {
  let site: PoolSite;
  let runs = "4684";

  beforeAll(async () => {
    site = await PoolSite.start(["websvr", "websvr2"], ["prodapp01", "prodapp02", "prodapp03"], {
      bakeSeconds: 1,
    });
    await site.users();
  }, 10 * minute);

  afterAll(async () => {
    await site.stop();
  }, minute);

  const next = () => (runs === "4684" ? "4685" : "4684");
  const up = () => site.estate.up();

  /** All servers run one release and serve at every balancer; never fewer than minHealthy were up. */
  const settledIn = async (release: string) => {
    runs = release;
    expect(await site.running()).toEqual(Object.fromEntries(site.servers.map((name) => [name, release])));
    for (const balancer of site.balancers)
      expect(Object.values(await site.states(balancer))).toEqual(site.servers.map(() => "UP"));
    expect(await site.fewestHealthy()).toBeGreaterThanOrEqual(2);
    const { resources, pending } = await site.estate.project.state();
    expect(pending).toEqual([]);
    expect(resources.filter((entry) => entry.delete)).toEqual([]);
    const verified = await site.estate.verify();
    expect(verified.code, verified.output).toBe(0);
  };

  /** Order another release, stop it in the middle, and end it as the runbook says. */
  const stopped = async (
    ending: "finish" | "back",
    stop: () => Promise<unknown>,
    recover: () => Promise<unknown> = () => up().then(ok),
  ) => {
    await site.watchHealthy();
    const to = next();
    const seen = await site.seen(async () => {
      site.set({ release: to });
      await stop();
      if (ending === "back") site.set({ release: runs });
      await recover();
    });
    await settledIn(ending === "finish" ? to : runs);
    return seen;
  };

  const failIn = async (step: PoolStep, incident: Incident) => {
    await arrange(site.estate, step, incident);
    failed(await up());
    await clear(site.estate);
  };

  /** The runbook's words after a run that was killed. */
  const recover = async () => {
    const cancelled: Run = await site.estate.project.pulumi(["cancel", "--yes"]);
    if (cancelled.output.includes("failed to load checkpoint")) {
      site.estate.project.restoreBackup();
      ok(await site.estate.project.pulumi(["cancel", "--yes"]));
    }
    await expect.poll(async () => (await up()).code, { timeout: 2 * minute, interval: 1000 }).toBe(0);
    ok(await site.estate.project.pulumi(["refresh", "--clear-pending-creates", "--yes"]));
  };

  it.each(failures)(
    "fails in %s (%s), and then the operator's word is: %s",
    async (step, incident, ending) => {
      const seen = await stopped(ending, () => failIn(step, incident));
      expect(seen.failed, JSON.stringify(seen)).toBe(0);
    },
    3 * minute,
  );

  it.each(kills)(
    "is killed in %s, and then the operator's word is: %s",
    async (step, ending) => {
      const kill = async () => {
        await arrange(site.estate, step, "wait");
        const { child, run } = site.estate.project.start(["up", "--yes", "--skip-preview"]);
        await expect.poll(() => reached(site.estate, step), { timeout: minute, interval: 100 }).toBe(true);
        killGroup(child, "SIGKILL");
        failed(await run);
        // The script goes on without its reader.
        await pause(3000);
        await clear(site.estate);
      };
      const seen = await stopped(ending, kill, recover);
      expect(seen.failed, JSON.stringify(seen)).toBe(0);
    },
    3 * minute,
  );

  it.each(losses)(
    "meets in %s a %s that is gone",
    async (step, what) => {
      const gone = what === "balancer" ? "websvr2" : "prodapp02";
      const lose = async () => {
        await arrange(site.estate, step, "wait");
        const { child, run } = site.estate.project.start(["up", "--yes", "--skip-preview"]);
        await expect.poll(() => reached(site.estate, step), { timeout: minute, interval: 100 }).toBe(true);
        await (what === "balancer" ? cut(site.estate.lab, gone) : powerCut(site.estate.lab, gone));
        // "No line for 60 seconds: Ctrl-C twice."
        await Promise.race([run, pause(15_000)]);
        killGroup(child, "SIGKILL");
        await run;
        await (what === "balancer" ? mend(site.estate.lab, gone) : site.estate.boot(gone));
        await clear(site.estate);
      };
      // What users of a lost machine saw is not counted: nobody moved them.
      await stopped("finish", lose, recover);
    },
    5 * minute,
  );
});
