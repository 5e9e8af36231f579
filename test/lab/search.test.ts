import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { clear } from "../support/incident.ts";
import { interrupted, recover } from "../support/incidents.ts";
import { ok } from "../support/runs.ts";
import { SearchSite } from "../support/search-site.ts";

const minute = 60_000;

/** The least that is whole: two nodes with data and a coordinator, which all vote. The night has five nodes and every step. */
describe.skipIf(whyNoLab() !== undefined)("a search cluster of three nodes", () => {
  let site: SearchSite;
  beforeAll(async () => {
    site = await SearchSite.start({
      nodes: {
        es1: { roles: ["data", "manager"] },
        es2: { roles: ["data", "manager"] },
        frontend: { roles: ["manager"] },
      },
    });
    await site.fill(500);
  }, 10 * minute);
  afterAll(() => site.stop(), minute);

  it(
    "is formed, and restarts each node under load: never red, nothing lost, settings as found [003-059] [003-112]",
    async () => {
      const verified = await site.estate.verify();
      expect(verified.code, verified.output).toBe(0);
      const settings = await site.settings();
      site.set({ bounce: "new kernel" });
      const { seen, missing } = await site.seenWhile(async () => {
        ok(await site.estate.up());
      });
      expect([seen.red, seen.failedWrites, seen.failedSearches]).toEqual([0, [], []]);
      expect(missing).toEqual([]);
      expect(await site.settings()).toEqual(settings);
      // Java starts from the archive of classes: a node is away for as long as that takes.
      for (const host of ["es1", "es2", "frontend"]) {
        const maps = "/proc/$(systemctl show -P MainPID changeover-search-catalogue)/maps";
        expect(await site.estate.on(host, `grep -c '/2\\.19\\.5\\.jsa$' ${maps} || true`)).not.toBe("0\n");
      }
    },
    5 * minute,
  );

  it(
    "gives an index another version while programs write, and the version before it again: nothing lost [002-106]",
    async () => {
      const body = (version: string) => ({ body: `test/support/bodies/pages-${version}.json` });
      const wish = async (version: string) => {
        site.set({ indexes: { papers: { version, versions: { 1: body("1"), 2: body("2") } } } });
        ok(await site.estate.up());
        expect(Object.keys(await site.ask("/_alias/papers"))).toEqual([`papers-v${version}`]);
      };
      await wish("1");
      const users = site.users(["frontend", "es1", "es2"], "papers");
      await pause(2000);
      users.mark();
      await wish("2");
      await wish("1");
      const seen = await users.report();
      users.stop();
      expect(seen.written.length).toBeGreaterThan(100);
      expect((await users.check(seen.written)).missing).toEqual([]);
      expect(seen.red).toBe(0);
      expect(JSON.stringify(await site.settings())).not.toContain("changeover");
    },
    5 * minute,
  );

  it(
    "has its settings again within a minute when the CLI and the script die, and the next update ends it [003-112]",
    async () => {
      const settings = await site.settings();
      site.set({ bounce: "stopped half-way" });
      await interrupted(site, "bounce", async () => {
        await pause(2500);
        for (const host of ["es1", "es2", "frontend"])
          await site.estate.on(
            host,
            "systemctl kill -s KILL 'changeover-catalogue-*-search-bounce-node*' || true",
          );
      });
      await clear(site.estate);
      await expect.poll(() => site.settings(), { timeout: 75_000, interval: 1000 }).toEqual(settings);
      await recover(site, "is killed");
      expect(await site.settings()).toEqual(settings);
      const verified = await site.estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    5 * minute,
  );
});
