import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ok } from "../support/runs.ts";
import { SearchSite } from "../support/search-site.ts";

const folder = mkdtempSync(join(tmpdir(), "search-index-"));
const body = (name: string, content: object): { body: string } => {
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(content));
  return { body: path };
};
const settings = { number_of_shards: 2, number_of_replicas: 1 };
const versions = {
  1: body("one", { settings, mappings: { properties: { n: { type: "long" } } } }),
  2: body("two", { settings, mappings: { properties: { n: { type: "double" } } } }),
};

let site: SearchSite;
const wish = (version: string, more: object = {}): void => {
  site.set({ indexes: { pages: { version, versions, ...more } } });
};
const aliasOf = async (): Promise<string[]> =>
  Object.keys(await site.ask("/_alias/pages", undefined, { host: "es1" }));

describe("an index of a search cluster in the stack file", () => {
  beforeAll(async () => {
    const both = { roles: ["data", "manager"] };
    site = await SearchSite.start({ nodes: { es1: both, es2: both, frontend: { roles: ["manager"] } } });
  });
  afterAll(() => site.stop());

  it("is made, moves to another version under writes, and back [002-106]", async () => {
    wish("1");
    ok(await site.estate.up());
    expect(await aliasOf()).toEqual(["pages-v1"]);
    const users = site.users(["es1", "es2"]);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    users.mark();
    wish("2");
    const there = await site.estate.up();
    ok(there);
    expect(await aliasOf()).toEqual(["pages-v2"]);
    wish("1");
    ok(await site.estate.up());
    expect(await aliasOf()).toEqual(["pages-v1"]);
    const seen = await users.report();
    users.stop();
    expect(seen.written.length).toBeGreaterThan(100);
    expect((await users.check(seen.written)).missing).toEqual([]);
    expect(seen.red).toBe(0);
    expect(JSON.stringify(await site.ask("/_cluster/settings", undefined, { host: "es1" }))).not.toContain(
      "changeover",
    );
  });
});
