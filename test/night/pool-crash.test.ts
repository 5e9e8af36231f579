import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cut, mend, powerCut, whyNoLab } from "../../tools/lab/lab.ts";
import { killGroup, type Run } from "../support/engine.ts";
import { arrange, clear, type PoolStep, reached } from "../support/incident.ts";
import { type Case, chosen, recorded } from "../support/chaos.ts";
import { PoolSite } from "../support/pool-site.ts";
import { failed, ok } from "../support/runs.ts";

const minute = 60_000;

type Stop =
  | "a release fails before"
  | "a release fails after"
  | "a release is killed"
  | "a balancer is gone"
  | "a server is gone";

/** Every step of a release, and how the operator ends it. Every run of the tests has some; `npm run chaos` has all. */
const steps: readonly PoolStep[] = ["claim", "stage", "drain", "release", "enter", "done"];
const sample: Readonly<Partial<Record<PoolStep, Stop>>> = {
  drain: "a release fails after",
  release: "a release is killed",
  enter: "a server is gone",
};
const cases = (incident: Stop, ending: "finish" | "back", of = steps) =>
  of.map((step): Case<Stop, PoolStep> => ({ step, ending, incident, sampled: sample[step] === incident }));

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
  const settledIn = async (release: string, least: number) => {
    runs = release;
    expect(await site.running()).toEqual(Object.fromEntries(site.servers.map((name) => [name, release])));
    for (const balancer of site.balancers)
      expect(Object.values(await site.states(balancer))).toEqual(site.servers.map(() => "UP"));
    expect(await site.fewestHealthy()).toBeGreaterThanOrEqual(least);
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
    least = 2,
  ) => {
    await site.watchHealthy();
    const to = next();
    const seen = await site.seen(async () => {
      site.set({ release: to });
      await stop();
      if (ending === "back") site.set({ release: runs });
      await recover();
    });
    await settledIn(ending === "finish" ? to : runs, least);
    return seen;
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

  it.for(chosen([...cases("a release fails before", "finish"), ...cases("a release fails after", "back")]))(
    "loses no request and no server when $incident $step, and then: $ending",
    recorded(async ({ step, incident, ending }: Case<Stop, PoolStep>) => {
      const seen = await stopped(ending, async () => {
        await arrange(site.estate, step, incident === "a release fails before" ? "before" : "after");
        failed(await up());
        await clear(site.estate);
      });
      expect(seen.failed, JSON.stringify(seen)).toBe(0);
    }),
  );

  it.for(chosen(cases("a release is killed", "finish")))(
    "loses no request and no server when $incident in $step, and then: $ending",
    recorded(async ({ step, ending }: Case<Stop, PoolStep>) => {
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
    }),
  );

  it.for(
    chosen([
      ...cases("a balancer is gone", "finish"),
      ...cases("a server is gone", "finish", ["drain", "release", "enter"]),
    ]),
  )(
    "ends in the goal when $incident in $step",
    recorded(async ({ step, incident }: Case<Stop, PoolStep>) => {
      const { lab } = site.estate;
      const [gone, lose, find] =
        incident === "a balancer is gone"
          ? (["websvr2", cut, mend] as const)
          : (["prodapp02", powerCut, (_: string, name: string) => site.estate.boot(name)] as const);
      const meet = async () => {
        await arrange(site.estate, step, "wait");
        const { child, run } = site.estate.project.start(["up", "--yes", "--skip-preview"]);
        await expect.poll(() => reached(site.estate, step), { timeout: minute, interval: 100 }).toBe(true);
        await lose(lab, gone);
        // "No line for 60 seconds: Ctrl-C twice."
        await Promise.race([run, pause(15_000)]);
        killGroup(child, "SIGKILL");
        await run;
        await find(lab, gone);
        await clear(site.estate);
      };
      // What users of a lost machine saw is not counted: nobody could move them. A server that dies is one less, whoever is out.
      await stopped("finish", meet, recover, incident === "a server is gone" ? 1 : 2);
    }),
  );
});
