import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cut, mend, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { type Case, chosen, inChaos, recorded } from "../support/chaos.ts";
import { killGroup, type Run } from "../support/engine.ts";
import { arrange, clear, reached } from "../support/incident.ts";
import { failed, ok } from "../support/runs.ts";
import { ScalrSite } from "../support/scalr-site.ts";
import { type Barrier, barriers, goBack, made, namesBefore, stoppedAt } from "../support/upgrade-barriers.ts";

const minute = 60_000;
const whyNot = whyNoLab();

/** What the runbook says of a run that was killed: the lock, and a state that was being written. */
async function cancel({ estate: { project } }: ScalrSite): Promise<void> {
  const cancelled = await project.pulumi(["cancel", "--yes"]);
  if (!cancelled.output.includes("failed to load checkpoint")) return;
  project.restoreBackup();
  ok(await project.pulumi(["cancel", "--yes"]));
}

/** The end of what was killed or lost its connection. */
async function finish(site: ScalrSite, version: string): Promise<void> {
  await expect.poll(async () => (await site.up()).code, { timeout: 4 * minute, interval: 1000 }).toBe(0);
  ok(await site.estate.project.pulumi(["refresh", "--clear-pending-creates", "--yes"]));
  await site.healthyAt(version);
  expect((await site.estate.project.state()).pending).toEqual([]);
}

/** Stop a run in a stage by what is done to it when its script has begun there. */
async function interrupted(
  site: ScalrSite,
  { step, host }: Barrier,
  meanwhile: (run: Promise<Run>) => Promise<unknown>,
): Promise<Run> {
  await arrange(site.estate, step, "wait", [host]);
  const { child, run } = site.estate.project.start(["up", "--yes", "--skip-preview"], 400);
  await expect.poll(() => reached(site.estate, step), { timeout: 4 * minute, interval: 100 }).toBe(true);
  await meanwhile(run);
  killGroup(child, "SIGKILL");
  return run;
}

describe.skipIf(whyNot !== undefined)("an upgrade that is stopped at every stage", () => {
  let site: ScalrSite;
  let release = 0;
  /** Another version, newer than all before; none of them migrates. */
  const next = async (): Promise<string> => {
    const version = `7.4.1-${String(++release)}`;
    await site.offer(version);
    return version;
  };
  const begin = async (): Promise<string> => {
    const version = await next();
    site.set({ version });
    return version;
  };

  beforeAll(async () => {
    site = await ScalrSite.start(["7.4.0-1"]);
    site.set({ version: "7.4.0-1" });
    ok(await site.up());
  }, 15 * minute);

  afterAll(() => site.stop(), minute);

  describe.skipIf(inChaos)("by one host that fails there", () => {
    let version = "";
    let before: Barrier | undefined;

    beforeAll(async () => {
      version = await begin();
    }, minute);

    it.for(barriers)(
      "keeps all from the next after $phase on $host; up again goes on there [000-094]",
      { timeout: 5 * minute },
      async (barrier) => {
        await arrange(site.estate, barrier.step, "before", [barrier.host]);
        const run = await site.up();
        await clear(site.estate);
        failed(run);
        await stoppedAt(site, barrier.phase, [run]);
        // What had ended is not done again: it goes on with the stage that failed last time.
        if (before) {
          const earlier = namesBefore(before.phase);
          expect(made(run).filter((name) => earlier.includes(name))).toEqual([]);
        }
        before = barrier;
      },
    );

    it("ends well when nothing fails any more", { timeout: 5 * minute }, async () => {
      ok(await site.up());
      await site.healthyAt(version);
    });
  });

  describe.skipIf(inChaos)("by the kill of the command there", () => {
    let version = "";

    beforeAll(async () => {
      version = await begin();
    }, minute);

    it.for(barriers)(
      "keeps all from the next after $phase, and goes on",
      { timeout: 5 * minute },
      async (barrier) => {
        const run = await interrupted(site, barrier, () => Promise.resolve());
        // The script that was under way on the host ends by itself.
        await pause(3000);
        await clear(site.estate);
        await stoppedAt(site, barrier.phase, [run]);
        await cancel(site);
      },
    );

    it("ends well when nobody kills it any more", { timeout: 8 * minute }, async () => {
      await finish(site, version);
    });
  });

  describe.skipIf(inChaos)("by a host that is cut off there", () => {
    let version = "";

    beforeAll(async () => {
      version = await begin();
    }, minute);

    it.for(barriers)(
      "keeps all from the next while $host is away in $phase, and goes on",
      { timeout: 6 * minute },
      async (barrier) => {
        const { lab } = site.estate;
        const run = await interrupted(site, barrier, async (running) => {
          await cut(lab, barrier.host);
          // "No line for 60 seconds: Ctrl-C twice."
          await Promise.race([running, pause(12_000)]);
        });
        const runs = [run];
        await cancel(site);
        // Another run while it is away begins nothing either.
        const again = await site.up();
        failed(again);
        runs.push(again);
        await mend(lab, barrier.host);
        await clear(site.estate);
        await stoppedAt(site, barrier.phase, runs);
      },
    );

    it("ends well when the host is there again", { timeout: 8 * minute }, async () => {
      await finish(site, version);
    });
  });

  type StageCase = Case<"fails after", string> & { readonly barrier: Barrier };
  const sampled = ["silence", "stop", "package", "reconfigure-main", "health"];
  const cases = chosen(
    barriers
      .filter(({ phase }) => phase !== "done")
      .map((barrier): StageCase => ({
        step: barrier.phase,
        ending: "back",
        incident: "fails after",
        barrier,
        sampled: sampled.includes(barrier.phase),
      })),
  );

  describe.skipIf(cases.length === 0)("and goes back", () => {
    it.for(cases)(
      "from $step, by the version of before, with a word for what is lost only past the migration [000-029]",
      { timeout: 8 * minute },
      recorded(async ({ barrier }: StageCase) => {
        const from = site.version;
        await begin();
        await arrange(site.estate, barrier.step, "after", [barrier.host]);
        failed(await site.up());
        await clear(site.estate);
        const stages = barriers.map(({ phase }) => phase);
        const migrated = stages.indexOf(barrier.phase) >= stages.indexOf("reconfigure-main");
        expect(await goBack(site, from)).toBe(migrated);
        await site.healthyAt(from);
      }),
    );
  });
});
