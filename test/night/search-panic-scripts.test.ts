import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { searchHome } from "../../tools/workshop/search-archives.ts";
import { SearchNodes, told } from "../support/search-members.ts";

const minute = 60_000;
const day = 86_400_000;

describe("slow searches and old documents, on real nodes", () => {
  let nodes: SearchNodes;
  beforeAll(async () => {
    nodes = new SearchNodes(await searchHome("opensearch", "2.19.5"), {
      es1: { address: "127.0.9.2", zone: "safe", roles: ["data", "manager"] },
      es2: { address: "127.0.9.3", zone: "spot", roles: ["data"] },
    });
    await nodes.start("es1", "es2");
  }, 3 * minute);
  afterAll(() => nodes.end());
  beforeEach(() => nodes.reset());

  const bulk = async (index: string, documents: readonly object[]): Promise<void> => {
    const lines = documents.map((one) => `{"index":{}}\n${JSON.stringify(one)}\n`).join("");
    await nodes.ask(`/${index}/_bulk?refresh=true&filter_path=errors`, lines);
  };
  const count = async (index: string): Promise<number> =>
    (await nodes.ask(`/${index}/_count`)).count as number;

  describe("slow searches", () => {
    /** Long words without any order, and a pattern that has to be tried on each of them. */
    const heavy = async (): Promise<Promise<unknown>[]> => {
      await nodes.put("/words", {
        settings: { number_of_shards: 2, number_of_replicas: 0 },
        mappings: { properties: { w: { type: "keyword", index: false } } },
      });
      for (let round = 0; round < 20; round++)
        await bulk(
          "words",
          Array.from({ length: 1000 }, () => ({ w: randomBytes(500).toString("hex") })),
        );
      const aggs = {
        top: {
          terms: { field: "w", size: 60_000, shard_size: 60_000 },
          aggs: {
            again: { terms: { field: "w", size: 1000 }, aggs: { more: { cardinality: { field: "w" } } } },
          },
        },
      };
      return Array.from({ length: 3 }, () =>
        nodes.ask("/words/_search?request_cache=false", { size: 0, aggs }).catch((error: unknown) => error),
      );
    };

    it(
      "are named with node, age, index and query, and have ended when they were cancelled; writes go on [002-083] [002-088]",
      async () => {
        const none = await nodes.script("cancel-queries", ["1"]);
        expect(none, none.err).toMatchObject({ code: 0 });
        expect(none.out).toContain("no search of logs runs longer than 1 s");
        const searches = await heavy();
        await pause(1500);
        const listed = await nodes.script("list-queries", ["1"]);
        expect(listed, listed.err).toMatchObject({ code: 0 });
        expect(listed.out).toMatch(
          /^logs-es4 [1-3] searches run longer than 1 s: \S+:\d+ on es\d, \d+ s, words: \{.*"aggregations"/,
        );
        const cancelled = await nodes.script("cancel-queries", ["1"]);
        expect(cancelled, cancelled.err).toMatchObject({ code: 0 });
        expect(Number(told(cancelled, "cancelled"))).toBeGreaterThan(0);
        await bulk("words", [{ w: "written" }]);
        const said = await Promise.all(searches);
        expect(said.map(String).join()).toMatch(/cancelled/i);
        expect((await nodes.script("list-queries", ["1"])).out).toContain("0 searches run");
      },
      3 * minute,
    );
  });

  describe("old documents", () => {
    const fill = async (index: string, old: number, young: number): Promise<void> => {
      await nodes.put(`/${index}`, {
        settings: { number_of_shards: 2, number_of_replicas: 0 },
        mappings: { properties: { at: { type: "date" } } },
      });
      const now = Date.now();
      for (let from = 0; from < old; from += 1000)
        await bulk(
          index,
          Array.from({ length: Math.min(1000, old - from) }, () => ({ at: now - 40 * day })),
        );
      if (young > 0)
        await bulk(
          index,
          Array.from({ length: young }, () => ({ at: now - day })),
        );
    };
    const words = (change: Record<string, string> = {}): string[] =>
      Object.entries({
        index: "pages-*",
        field: "at",
        days: "30",
        limit: "10000",
        snapshot: "without",
        ...change,
      }).map(([key, value]) => `${key}=${value}`);

    it(
      "are counted, refused above the limit, and deleted to the last; the young ones stay [002-084] [002-085] [002-086] [002-087]",
      async () => {
        await fill("pages-a", 2500, 300);
        await fill("pages-b", 0, 100);
        const many = await nodes.script("count-documents", words({ limit: "2000" }));
        expect(many.code).toBe(77);
        expect(many.err).toContain(
          "2500 documents match (allowed: 2000, the rule's limit): pages-a: 2500 of 2800",
        );
        const early = await nodes.script("delete-documents", words());
        expect(early.code).toBe(75);
        const counted = await nodes.script("count-documents", words());
        expect(counted, counted.err).toMatchObject({ code: 0 });
        expect(counted.out).toContain("2500 documents match (limit 10000): pages-a: 2500 of 2800");
        const stopped = await nodes.script("delete-documents", words(), 900);
        expect(stopped.code).not.toBe(0);
        const deleted = await nodes.script("delete-documents", words());
        expect(deleted, deleted.err).toMatchObject({ code: 0 });
        expect(deleted.out).toMatch(
          /documents are deleted.*none matches any more in 1 indexes, which have \d+ MiB/,
        );
        expect([await count("pages-a"), await count("pages-b")]).toEqual([300, 100]);
        const again = await nodes.script("delete-documents", words());
        expect(told(again, "deleted")).toBe("0");
      },
      3 * minute,
    );

    it("are not all documents of an index, which is refused; a query of one's own says which [002-085] [002-086] [002-087]", async () => {
      await fill("pages-a", 100, 0);
      const all = await nodes.script("count-documents", words());
      expect(all.code).toBe(77);
      expect(all.err).toContain("the rule means every document of pages-a (100)");
      await bulk("pages-a", [{ at: Date.now(), project: "kept" }]);
      const query = JSON.stringify({ bool: { must_not: { exists: { field: "project" } } } });
      const byQuery = [`index=pages-a`, `query=${query}`, "limit=100", "snapshot=without"];
      expect((await nodes.script("count-documents", byQuery)).code).toBe(0);
      expect((await nodes.script("delete-documents", byQuery)).code).toBe(0);
      expect(await count("pages-a")).toBe(1);
    });

    it(
      "are deleted only when a snapshot of the last hour has them, unless a reason says so [002-084]",
      async () => {
        await fill("pages-a", 50, 50);
        const bare = await nodes.script("count-documents", words({ snapshot: "needed" }));
        expect(bare.code).toBe(77);
        expect(bare.err).toContain(
          "no whole snapshot has pages-a; take one, or say why none is needed: withoutSnapshot",
        );
        const location = `${nodes.folder}/repo`;
        await nodes.put("/_snapshot/changeover", { type: "fs", settings: { location } });
        await nodes.put("/_snapshot/changeover/now?wait_for_completion=true", { indices: "pages-a" });
        const counted = await nodes.script("count-documents", words({ snapshot: "needed" }));
        expect(counted, counted.err).toMatchObject({ code: 0 });
        expect(counted.out).toContain("they are in changeover/now");
        expect((await nodes.script("delete-documents", words({ snapshot: "needed" }))).code).toBe(0);
        expect(await count("pages-a")).toBe(50);
        await nodes.ask("/_snapshot/changeover", undefined, "DELETE");
      },
      2 * minute,
    );
  });
});
