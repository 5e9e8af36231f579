import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { searchHome } from "../../tools/workshop/search-archives.ts";
import { SearchChanges } from "../support/search-changes.ts";
import { SearchNodes, told, type Ran } from "../support/search-members.ts";

const at = "http://127.0.0.12:19620";
const allowed = 'reindex.remote.allowlist: "127.0.0.14:19620"';
const body = {
  settings: { number_of_shards: 2, number_of_replicas: 1 },
  mappings: { properties: { n: { type: "long" }, text: { type: "keyword", ignore_above: 500 } } },
};

let nodes: SearchNodes;
let changes: SearchChanges;

interface Wish {
  version: string;
  body?: object;
  how?: "reindex" | "update" | "import";
  from?: string;
  rate?: number;
  block?: number;
  keep?: number;
}

function stored(content: object): [path: string, sha256: string] {
  const text = JSON.stringify(content);
  const sha256 = createHash("sha256").update(text).digest("hex");
  const path = join(nodes.folder, `${sha256}.json`);
  writeFileSync(path, text);
  return [path, sha256];
}

/** A step as the transition runs it. @param killAfter milliseconds. */
function step(name: string, wish: Wish, killAfter?: number): Promise<Ran> {
  const { version, how = "reindex", from = "-", rate = 0, block = 30, keep = 1 } = wish;
  const [path, sha256] = stored(wish.body ?? body);
  const words: Record<string, string[]> = {
    check: [version, sha256, how, from, path],
    create: [version, sha256, how, from, path],
    copy: [String(rate), version, how, from],
    swap: [String(block), version, how, from],
    clean: [String(keep), version],
    update: [String(rate), version, sha256, path],
  };
  return nodes.script(`${name}-index`, ["pages", ...(words[name] ?? [])], killAfter);
}

const rows = ["check", "create", "copy", "swap", "clean"];

/** All rows of the transition, each of which has to end well. */
async function reach(wish: Wish, names = rows): Promise<Record<string, Ran>> {
  const ran: Record<string, Ran> = {};
  for (const name of names) {
    const one = await step(name, wish);
    expect(one, `${name}: ${one.err}`).toMatchObject({ code: 0 });
    ran[name] = one;
  }
  return ran;
}

async function aliasOf(): Promise<string[]> {
  const said = await nodes.ask("/_alias/pages").catch(() => ({}));
  return Object.keys(said).sort();
}

const indexes = async (): Promise<string[]> =>
  Object.keys(await nodes.ask("/pages*?expand_wildcards=all")).sort();

async function blocked(index: string): Promise<boolean> {
  return JSON.stringify(await nodes.ask(`/${index}/_settings`)).includes('"write":"true"');
}

/** Version 1 with documents, which programs change from now on. */
async function begun(documents = 8000): Promise<void> {
  await reach({ version: "1" });
  await changes.fill(documents);
  changes.start();
}

async function nothingLost(): Promise<void> {
  await changes.stop();
  expect(changes.odd).toEqual([]);
  expect(await changes.wrong()).toEqual({ lost: [], back: [] });
}

describe("an index of a search cluster becomes another version", () => {
  beforeAll(async () => {
    nodes = new SearchNodes(await searchHome("opensearch", "2.19.5"), {
      es1: { address: "127.0.0.12", zone: "safe", roles: ["data", "manager"], lines: [allowed] },
      es2: { address: "127.0.0.13", zone: "safe", roles: ["data"], lines: [allowed] },
    });
    await nodes.start("es1", "es2");
  });
  afterAll(() => nodes.end());
  beforeEach(async () => {
    await nodes.reset();
    await nodes.set({ "cluster.routing.allocation.awareness.force.zone.values": null });
    changes = new SearchChanges(at, "pages");
  });
  afterEach(() => changes.stop());

  it("is made with its alias when there is none, and each row may run again", async () => {
    const ran = await reach({ version: "1" });
    expect(ran["create"]?.out).toContain("pages-v1 is made, and pages is its alias");
    expect(await aliasOf()).toEqual(["pages-v1"]);
    await reach({ version: "1" });
    expect(await indexes()).toEqual(["pages-v1"]);
  });

  it("moves under 100 changes a second without a lost one, and back with what was changed meanwhile [002-105] [002-106]", async () => {
    await begun();
    const there = await reach({ version: "2" });
    expect(await aliasOf()).toEqual(["pages-v2"]);
    expect(await indexes()).toEqual(["pages-v1", "pages-v2"]);
    expect(Number(told(there["swap"] as Ran, "blocked_ms"))).toBeLessThan(3000);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const back = await reach({ version: "1" });
    expect(back["create"]?.out).toContain("goes on as a copy of pages-v2");
    expect(back["copy"]?.out).toContain("0 documents of pages-v2 are copied");
    expect(await aliasOf()).toEqual(["pages-v1"]);
    expect(changes.gap).toBeLessThan(4);
    console.log(there["swap"]?.out, back["swap"]?.out, changes.gap, changes.acknowledged, changes.refused);
    expect(await blocked("pages-v1,pages-v2")).toBe(false);
    await nothingLost();
    expect(await nodes.settings()).not.toContain("changeover");
  });
});
