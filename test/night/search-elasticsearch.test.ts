import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { ok } from "../support/runs.ts";
import { SearchSite } from "../support/search-site.ts";

const minute = 60_000;

describe.skipIf(whyNoLab() !== undefined)("Elasticsearch 7.17", () => {
  let site: SearchSite;
  beforeAll(async () => {
    site = await SearchSite.start(
      {
        nodes: {
          es1: { roles: ["data", "manager"] },
          es2: { roles: ["data", "manager"] },
          frontend: { roles: ["manager"] },
        },
      },
      { engine: "elasticsearch", versions: ["7.17.28"] },
    );
    await site.fill(500);
  }, 10 * minute);
  afterAll(() => site.stop(), minute);

  it(
    "is formed, restarts each node without a red moment, and drains one [003-080] [003-081] [003-127]",
    async () => {
      const settings = await site.settings();
      site.set({ bounce: "once" });
      const { seen, missing } = await site.seenWhile(async () => {
        ok(await site.estate.up());
      });
      expect([seen.red, seen.failedWrites, seen.failedSearches]).toEqual([0, [], []]);
      expect(missing).toEqual([]);
      expect(await site.settings()).toEqual(settings);
      const verified = await site.estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    6 * minute,
  );

  it(
    "refuses a drain that leaves a replica without a place, and changes nothing [003-085]",
    async () => {
      const settings = await site.settings();
      site.setNode("es2", { is: "drained" });
      const run = await site.estate.up();
      expect(run.code).not.toBe(0);
      expect(run.output).toMatch(/refused: .*es2/);
      expect(await site.settings()).toEqual(settings);
      site.setNode("es2", { is: "in" });
      ok(await site.estate.up());
    },
    4 * minute,
  );
});
