import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import type { Run } from "../support/engine.ts";
import { failed, ok } from "../support/runs.ts";
import type { SearchReport } from "../support/search-load.ts";
import { SearchSite } from "../support/search-site.ts";

const minute = 60_000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(whyNoLab() !== undefined)("a search cluster under load", () => {
  let site: SearchSite;
  beforeAll(async () => {
    site = await SearchSite.start({}, { versions: ["2.18.0", "2.19.5"], hosts: ["stranger"] });
    await site.fill();
  }, 10 * minute);
  afterAll(() => site.stop(), minute);

  /** What programs saw while something was done; every document of theirs is there afterwards, once. */
  const seen = async (act: () => Promise<unknown>): Promise<SearchReport> => {
    const users = site.users();
    await pause(2000);
    const before = (await users.check([])).count;
    users.mark();
    await act();
    await pause(1000);
    const report = await users.report();
    users.stop();
    const { missing, count } = await users.check(report.written);
    expect(missing).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(before + report.written.length - 5);
    return report;
  };

  const processes = async (): Promise<Record<string, string>> => {
    const { nodes } = await site.ask<{ nodes: Record<string, { name: string; ephemeral_id: string }> }>(
      "/_cluster/state/nodes",
    );
    return Object.fromEntries(Object.values(nodes).map(({ name, ephemeral_id }) => [name, ephemeral_id]));
  };

  it(
    "is formed once, by votes, and verify has nothing to say [003-062] [003-063] [003-125] [003-028]",
    async () => {
      expect(Object.keys(await processes()).sort()).toEqual(["es1", "es2", "es3", "es4", "frontend"]);
      const verified = await site.estate.verify();
      expect(verified.code, verified.output).toBe(0);
      const { address } = site.estate.host("es1");
      for (const port of [9200, 9300]) {
        const reach = `python3 -c "import socket; socket.create_connection(('${address}', ${String(port)}), 2)" 2>&1 || true`;
        expect(await site.estate.on("stranger", reach), String(port)).toMatch(/Connection refused/);
      }
      const again = await site.estate.up();
      ok(again);
      expect(again.output).not.toContain("catalogue-form-form creating");
    },
    3 * minute,
  );

  it(
    "restarts each node once: never red, nothing lost, no request fails at its third try [003-059] [003-069] [003-074] [003-107] [003-108] [003-112] [003-067] [003-068] [003-070] [003-071] [003-093] [003-097]",
    async () => {
      const before = await processes();
      const settings = await site.settings();
      site.set({ bounce: "2026-12-01 new kernel" });
      let run: Run | undefined;
      const report = await seen(async () => {
        run = await site.estate.up();
      });
      ok(run as Run);
      const after = await processes();
      for (const [name, process] of Object.entries(before)) expect(after[name], name).not.toBe(process);
      expect(report.red).toBe(0);
      expect(report.looks).toBeGreaterThan(50);
      expect([report.failedWrites, report.failedSearches]).toEqual([[], []]);
      // How short exactly is for the bench: this machine may have other work.
      expect(report.writeGap).toBeLessThanOrEqual(5);
      expect(report.searchGap).toBeLessThanOrEqual(5);
      expect(await site.settings()).toEqual(settings);
    },
    5 * minute,
  );

  it(
    "clears the spot zone before, and gives it back after, whatever others have excluded [003-064] [003-065] [003-066] [003-072] [003-073] [003-075] [003-109] [003-111] [003-076] [003-079] [003-100] [003-101]",
    async () => {
      const foreign = { persistent: { "cluster.routing.allocation.exclude._ip": "192.0.2.77" } };
      await site.ask("/_cluster/settings", foreign);
      site.set({ bounce: "with the spot zone cleared", clearSpot: true });
      const report = await seen(async () => {
        ok(await site.estate.up());
      });
      expect([report.red, report.failedWrites, report.failedSearches]).toEqual([0, [], []]);
      expect((await site.settings()).persistent).toMatchObject(foreign.persistent);
      await site.ask("/_cluster/settings", {
        persistent: { "cluster.routing.allocation.exclude._ip": null },
      });
      site.set({ clearSpot: false });
    },
    6 * minute,
  );

  it(
    "finds a setting that the engine does not know before any node stops [003-082]",
    async () => {
      const before = await processes();
      site.set({ settings: { "indices.no.such": "1" } });
      const run = await site.estate.up();
      failed(run);
      expect(run.output).toMatch(/unknown setting \[indices\.no\.such\]/);
      expect(await processes()).toEqual(before);
      site.set({ settings: {} });
      ok(await site.estate.up());
      expect(await processes()).toEqual(before);
    },
    4 * minute,
  );

  it(
    "gets another version, node by node, and refuses the way back with the reason [003-094] [003-095] [003-096] [003-102] [003-127]",
    async () => {
      site.set({ version: "2.19.5" });
      const report = await seen(async () => {
        ok(await site.estate.up());
      });
      expect([report.red, report.failedWrites, report.failedSearches]).toEqual([0, [], []]);
      const { nodes } = await site.ask<{ nodes: Record<string, { version: string }> }>("/_nodes");
      expect(new Set(Object.values(nodes).map(({ version }) => version))).toEqual(new Set(["2.19.5"]));
      site.set({ version: "2.18.0" });
      const back = await site.estate.up();
      failed(back);
      expect(back.output).toMatch(/es1 runs 2\.19\.5, and no node goes back to 2\.18\.0/);
      site.set({ version: "2.19.5" });
      ok(await site.estate.up());
    },
    6 * minute,
  );

  it(
    "drains a node, says how far it is, takes the drain back, and lets a node leave [003-084] [003-086] [003-091] [003-098] [003-113] [003-099]",
    async () => {
      site.setNode("es3", { is: "drained" });
      ok(await site.estate.up());
      const shardsOn = async (host: string): Promise<number> => {
        const rows = await site.ask<{ node: string }[]>("/_cat/shards?format=json&h=node");
        return rows.filter(({ node }) => node.startsWith(host)).length;
      };
      await expect.poll(() => shardsOn("es3"), { timeout: 60_000 }).toBe(0);
      ok(await site.estate.up());
      site.setNode("es3", { is: "in" });
      ok(await site.estate.up());
      await expect.poll(() => shardsOn("es3"), { timeout: 60_000 }).toBeGreaterThan(0);
      expect((await site.settings()).persistent).toEqual(
        expect.not.objectContaining({
          "cluster.routing.allocation.exclude._ip": expect.anything() as string,
        }),
      );
      site.setNode("es4", { is: "out" });
      ok(await site.estate.up());
      expect(Object.keys(await processes())).not.toContain("es4");
      expect((await site.ask<{ status: string }>("/_cluster/health")).status).toBe("green");
      const verified = await site.estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    6 * minute,
  );
});
