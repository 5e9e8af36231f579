import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cut, mend, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { killGroup } from "../support/engine.ts";
import { failed, ok } from "../support/runs.ts";
import { scalr, scalrHosts } from "../support/scalr.ts";
import { ScalrSite } from "../support/scalr-site.ts";

const minute = 60_000;
const all = (version: string) => Object.fromEntries(Object.keys(scalrHosts).map((host) => [host, version]));

/** Five hosts, one of which takes RPMs. */
describe.skipIf(whyNoLab() !== undefined)("a staged upgrade", () => {
  let site: ScalrSite;
  const went = async (version: string) => {
    site.set({ version });
    site.watch();
    const run = await site.up();
    const seconds = await site.stopWatching();
    return { run, seconds };
  };

  beforeAll(async () => {
    site = await ScalrSite.start(["7.3.0-1", "7.4.0-1"]);
  }, 10 * minute);

  afterAll(() => site.stop(), minute);

  it(
    "installs a version on blank hosts, the main database first, with nothing to back up",
    async () => {
      // The fifth one comes later.
      const { "scalr-app2": late, ...hosts } = scalrHosts;
      const smoke = Object.entries(scalr().smoke).filter(([, { on }]) => on !== "scalr-app2");
      site.set({ hosts, smoke: Object.fromEntries(smoke) });
      ok(await site.up());
      expect(late).toBe("app");
      expect(await site.installed()).toEqual({ ...all("7.3.0-1"), "scalr-app2": "none" });
      expect(await site.notRunning()).toEqual([]);
      expect(await site.sql("SELECT count(*) FROM scalr.farms")).toMatch(/^\d+$/);
      const verified = await site.estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    6 * minute,
  );

  it(
    "takes a host that is added later alone: nobody else stops [000-005]",
    async () => {
      site.set({ hosts: undefined, smoke: undefined });
      const { run, seconds } = await went("7.3.0-1");
      ok(run);
      expect(seconds).toEqual({ database: 0, site: 0 });
      await site.healthyAt("7.3.0-1");
      // A gate runs nothing; with a host more there is one more group to wait for.
      const steps = [...run.output.matchAll(/ (scalr-\S+) created/g)]
        .map(([, name]) => name ?? "")
        .filter((name) => !name.endsWith("-gate"));
      expect(steps).toContain("scalr-upgrade-package-scalr-app2");
      expect(steps.filter((name) => !name.includes("scalr-app2"))).toEqual([]);
    },
    6 * minute,
  );

  it(
    "upgrades five hosts by one word of the config, backed up before, and counts the outage from outside [000-015] [000-017] [000-018] [000-022] [000-025] [000-027] [000-036] [000-090] [000-091]",
    async () => {
      // The newest is not what is wanted.
      await site.offer("7.4.1-1");
      const { run, seconds } = await went("7.4.0-1");
      ok(run);
      console.log(
        `upgrade: database away ${seconds.database.toFixed(1)} s, site ${seconds.site.toFixed(1)} s`,
      );
      await site.healthyAt("7.4.0-1");
      expect(await site.sql("SHOW TABLES FROM scalr LIKE 'farm_tags'")).toBe("farm_tags");
      expect(seconds.database).toBeGreaterThan(0);
      expect(await site.estate.on("scalr-db", "stat -c %a /var/backups/scalr/scalr/*.sql.gz")).toMatch(
        /^600\n/,
      );
    },
    8 * minute,
  );

  it(
    "goes back past the migration only by the backup that the file names [000-029]",
    async () => {
      await site.sql("INSERT INTO scalr.farms (account, cloud, name) VALUES (1, 1, 'after the backup')");
      const { run: refused } = await went("7.3.0-1");
      failed(refused);
      const line = /acceptDataLoss: "(\d{8}T\d{6}): why"/.exec(refused.output);
      expect(line, refused.output).not.toBeNull();
      await site.healthyAt("7.4.0-1");
      site.set({ acceptDataLoss: `${line?.[1] ?? ""}: 7.4.0 loses orders` });
      const { run, seconds } = await went("7.3.0-1");
      ok(run);
      console.log(
        `way back: database away ${seconds.database.toFixed(1)} s, site ${seconds.site.toFixed(1)} s`,
      );
      await site.healthyAt("7.3.0-1");
      expect(await site.sql("SHOW TABLES FROM scalr LIKE 'farm_tags'")).toBe("");
      expect(await site.sql("SELECT count(*) FROM scalr.farms WHERE name = 'after the backup'")).toBe("0");
      // Taking the line out of the file plans nothing.
      site.set({ acceptDataLoss: undefined });
      const settled = await site.up();
      ok(settled);
      expect(settled.output).not.toMatch(/created|updated|replaced/);
    },
    10 * minute,
  );

  it(
    "stops where a host fails, begins nothing of the next stage, and goes back from there [000-020] [000-094]",
    async () => {
      await site.offer("7.4.4-1");
      const { run } = await went("7.4.4-1");
      failed(run);
      expect(run.output).not.toMatch(/scalr-upgrade-reconfigure/);
      expect(await site.sql("SELECT 1").catch(() => "stopped")).toBe("stopped");
      const { run: back } = await went("7.3.0-1");
      ok(back);
      await site.healthyAt("7.3.0-1");
    },
    8 * minute,
  );

  it(
    "begins nothing when a host is cut off, and goes on where a run was killed [000-085] [000-086]",
    async () => {
      await cut(site.estate.lab, "scalr-worker");
      const { run } = await went("7.4.0-1");
      failed(run);
      await mend(site.estate.lab, "scalr-worker");
      // Without the database its services have ended; their supervisor starts them again.
      await expect.poll(() => site.notRunning(), { timeout: minute, interval: 1000 }).toEqual([]);
      await site.healthyAt("7.3.0-1");
      const { child, run: killed, said } = site.estate.project.start(["up", "--yes", "--skip-preview"]);
      await expect
        .poll(said, { timeout: 3 * minute, interval: 200 })
        .toMatch(/scalr-upgrade-package-\S+ creating/);
      killGroup(child, "SIGKILL");
      await killed;
      ok(await site.estate.project.pulumi(["cancel", "--yes"]));
      await expect.poll(async () => (await site.up()).code, { timeout: 5 * minute, interval: 1000 }).toBe(0);
      await site.healthyAt("7.4.0-1");
    },
    12 * minute,
  );
});
