import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { failed, ok } from "../support/runs.ts";
import { ScalrSite } from "../support/scalr-site.ts";
import { failures, goBack, stageOf, stoppedAt } from "../support/upgrade-barriers.ts";
import { type Fault, faults } from "../support/upgrade-faults.ts";

const minute = 60_000;

/** Five hosts, one of which takes RPMs, and what really goes wrong there. */
describe.skipIf(whyNoLab() !== undefined)("an upgrade in which something goes wrong", () => {
  let site: ScalrSite;
  let release = 0;

  beforeAll(async () => {
    site = await ScalrSite.start(["7.4.0-1", "7.4.2-1", "7.4.3-1"]);
    site.set({ version: "7.4.0-1" });
    ok(await site.up());
  }, 15 * minute);

  afterAll(() => site.stop(), minute);

  it.for(faults)(
    "stops at once for $name, and ends well when that is mended, or goes back [000-028] [000-031] [000-032] [000-092] [000-093] [000-094]",
    { timeout: 10 * minute },
    async (fault: Fault) => {
      const from = site.version;
      const to = fault.version ?? `7.4.1-${String(++release)}`;
      await site.offer(to);
      site.set({ version: to, ...fault.config });
      await fault.breaks?.(site);
      try {
        site.watch();
        const run = await site.up();
        const away = await site.stopWatching();
        failed(run);
        expect(run.output).toMatch(fault.says);
        const names = failures(run);
        expect(names).toEqual(names.filter((name) => fault.stage.test(name)));
        const [name = ""] = names;
        if (name === "preflight") expect(run.output).not.toContain("scalr-upgrade-claim");
        else await stoppedAt(site, stageOf(name) ?? "", [run]);
        if (fault.serves) expect(away).toEqual({ database: 0, site: 0 });
        // Published between two hosts' installations, or before any: it changes nothing.
        await site.offer("7.4.9-1");
      } finally {
        await fault.mends?.(site);
      }
      if (fault.mends) {
        ok(await site.up());
        await site.healthyAt(to);
      } else {
        expect(await goBack(site, from)).toBe(true);
        await site.healthyAt(from);
      }
      if (fault.config)
        site.set(Object.fromEntries(Object.keys(fault.config).map((key) => [key, undefined])));
    },
  );
});
