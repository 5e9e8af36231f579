import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { ok } from "../support/runs.ts";
import { SearchSite } from "../support/search-site.ts";

const minute = 60_000;
const location = "/srv/catalogue-snapshots";

interface Snapshot {
  readonly snapshot: string;
  readonly state: string;
}

/** One node, so that a local folder is one that all nodes share. */
describe.skipIf(whyNoLab() !== undefined)("snapshots of a search cluster by the real program", () => {
  let site: SearchSite;
  const list = async (): Promise<Snapshot[]> =>
    (await site.ask<{ snapshots: Snapshot[] }>("/_snapshot/changeover/_all")).snapshots;
  const indexes = async (): Promise<string[]> =>
    (await site.ask<{ index: string }[]>("/_cat/indices?format=json&expand_wildcards=all&h=index"))
      .map(({ index }) => index)
      .filter((name) => !name.startsWith("."));
  const up = async (): Promise<string> => {
    const done = await site.estate.up();
    ok(done);
    return done.output;
  };

  beforeAll(async () => {
    site = await SearchSite.start(
      {
        nodes: { frontend: { roles: ["data", "manager"] } },
        singleManager: "a test",
        accept: { pages: "a test" },
      },
      { versions: ["2.18.0", "2.19.5"] },
    );
    await site.fill(3000, 0, 2);
  }, 10 * minute);
  afterAll(() => site.stop(), minute);

  it(
    "are set up, taken and rehearsed in one update, and another version in it is refused [003-058] [003-124]",
    async () => {
      site.set({ snapshots: { location, maxAgeMinutes: 1 }, version: "2.19.5" });
      const early = await site.estate.up();
      expect(early.code).not.toBe(0);
      expect(early.output).toContain(
        "but the snapshot before it can't be taken yet: nodes learn of snapshots.location by a restart",
      );
      site.set({ version: "2.18.0" });
      const first = await up();
      expect(first).toMatch(/snapshot changeover-catalogue-\S+ is good: /);
      expect(first).toMatch(
        /restored in \d+\.\d s: 1 indexes, .* 3000 documents, 10 compared one by one; a rebuild of all takes about/,
      );
      expect(await list()).toMatchObject([{ state: "SUCCESS" }]);
      expect(await indexes()).toEqual(["pages"]);
      const verified = await site.estate.verify();
      expect(verified.code, verified.output).toBe(0);
      expect((await site.estate.look()).output).toMatch(
        /newest snapshot \d min old \(limit: 1 min\), a rebuild takes about \d+ s \(rehearsed\)/,
      );
      expect(await site.estate.on("frontend", `stat -c '%U %a' ${location}`)).toContain("search 750");
    },
    6 * minute,
  );

  it(
    "come before another version when the newest is too old, and for another reason of `now`",
    async () => {
      await pause(minute);
      site.set({ version: "2.19.5" });
      const rolled = await up();
      expect(rolled).toMatch(/snapshot changeover-catalogue-\S+ is good: 1 indexes, .* new/);
      expect(rolled).toMatch(/restored in \d+\.\d s: 1 indexes/);
      expect((await list()).map(({ state }) => state)).toEqual(["SUCCESS", "SUCCESS"]);
      expect(await site.ask<{ version: { number: string } }>("/")).toMatchObject({
        version: { number: "2.19.5" },
      });
      site.set({ snapshots: { location, maxAgeMinutes: 1, keep: 2, now: "before the import" } });
      expect(await up()).toContain("(keep: 2)");
      expect(await list()).toHaveLength(2);
      const looked = await site.estate.verify();
      expect(looked.code, looked.output).toBe(0);
      expect(await indexes()).toEqual(["pages"]);
    },
    8 * minute,
  );
});
