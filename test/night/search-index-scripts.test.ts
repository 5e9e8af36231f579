import { execFileSync } from "node:child_process";
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

/** A step as the transition runs it. */
function step(name: string, wish: Wish, meanwhile?: (group: number) => Promise<void>): Promise<Ran> {
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
  return nodes.script(`${name}-index`, ["pages", ...(words[name] ?? [])], undefined, "one", meanwhile);
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
    expect(await blocked("pages-v1,pages-v2")).toBe(false);
    await nothingLost();
    expect(await nodes.settings()).not.toContain("changeover");
  });

  it("goes on after kills in the copy and in the swap; a watch ends the block [002-106]", async () => {
    await begun(3000);
    const wish = { version: "2", rate: 700 };
    await reach(wish, ["check", "create"]);
    for (const _ of [1, 2]) {
      const killed = await step("copy", wish, async (group) => {
        await nodes.until("the task runs", 20, async () => (await tasks()).length === 1);
        process.kill(group, "SIGKILL");
      });
      expect(killed.code).toBe(null);
    }
    expect(await tasks()).toHaveLength(1);
    const copied = await step("copy", { ...wish, rate: 0 });
    expect(copied, copied.err).toMatchObject({ code: 0 });
    expect(copied.err).toContain("runs already");
    const killed = await step("swap", { ...wish, block: 2 }, async (group) => {
      await nodes.until("writes are blocked", 30, () => blocked("pages-v1"));
      process.kill(group, "SIGKILL");
    });
    expect(killed.code).toBe(null);
    expect(await blocked("pages-v1")).toBe(true);
    watch();
    expect(await blocked("pages-v1")).toBe(false);
    expect(await nodes.settings()).not.toContain("changeover");
    await reach(wish);
    expect(await aliasOf()).toEqual(["pages-v2"]);
    await nothingLost();
  });

  it("can't swap when somebody ended the block", async () => {
    await begun(2000);
    await reach({ version: "2" }, ["check", "create", "copy"]);
    // Without changes both are equal, and only the token tells that writes were free for a while.
    await changes.stop();
    const ran = await step("swap", { version: "2" }, async (group) => {
      await nodes.until("writes are blocked", 30, () => blocked("pages-v1"));
      process.kill(group, "SIGSTOP");
      settings("give-back", "index-pages");
      process.kill(group, "SIGCONT");
    });
    expect(ran.err).toMatch(
      /block of pages-v1 was ended by its watch or by a person before the swap; pages is as it was/,
    );
    expect(ran.code).toBe(75);
    expect(await aliasOf()).toEqual(["pages-v1"]);
    expect(await blocked("pages-v1")).toBe(false);
    await reach({ version: "2" });
    await nothingLost();
  });

  it("gives writes free when the time is over, and goes on [002-106]", async () => {
    await begun(2000);
    await reach({ version: "2" }, ["check", "create", "copy"]);
    const ran = await step("swap", { version: "2", block: 1 }, async (group) => {
      await nodes.until("writes are blocked", 30, () => blocked("pages-v1"));
      process.kill(group, "SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, 1200));
      process.kill(group, "SIGCONT");
    });
    expect(ran.err).toMatch(/not equal to pages-v1 after 1 s, so writes go on and pages is as it was/);
    expect(ran.code).toBe(75);
    expect(await blocked("pages-v1")).toBe(false);
    await reach({ version: "2" });
    await nothingLost();
  });

  it("starts a copy again whose task was lost with its node", async () => {
    await begun(3000);
    await reach({ version: "2" }, ["check", "create"]);
    const ran = await step("copy", { version: "2", rate: 600 }, async () => {
      await nodes.until("the task runs", 20, async () => (await tasks()).length === 1);
      await nodes.kill("es2");
    });
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(ran.err).toContain("is lost with its node; it is started again");
    await nodes.start("es2");
    await reach({ version: "2" });
    await changes.stop();
    expect(await changes.wrong()).toEqual({ lost: [], back: [] });
  });

  it("refuses names and bodies before anything is changed [002-105]", async () => {
    const refused = async (wish: Wish, words: RegExp, name = "check"): Promise<void> => {
      const before = JSON.stringify([await indexes(), await nodes.settings()]);
      const ran = await step(name, wish);
      expect(ran.err).toMatch(words);
      expect(ran.code).toBe(77);
      expect(JSON.stringify([await indexes(), await nodes.settings()])).toBe(before);
    };
    await nodes.put("/pages", {});
    await refused({ version: "1" }, /pages is an index of logs, so no alias can have the name/);
    await nodes.ask("/pages", undefined, "DELETE");
    await nodes.put("/pages-v1", {});
    await refused({ version: "1" }, /pages-v1 is an index of logs that this program has not made/);
    await nodes.ask("/pages-v1", undefined, "DELETE");
    await refused({ version: "1", body: { aliases: {} } }, /may have settings and mappings only/);
    await refused(
      { version: "1", body: { mappings: { properties: { n: { type: "odd" } } } } },
      /refuses the body of pages-v1/,
      "create",
    );
    await reach({ version: "1" });
    await refused(
      { version: "1", body: { mappings: {} } },
      /body of version "1" is another one .* write another version/,
    );
    await refused(
      { version: "2", how: "import", from: "http://10.0.0.1:9200/a" },
      /reindex\.remote\.allowlist: "10\.0\.0\.1:9200"/,
    );
    await nodes.put("/other", { aliases: { pages: {} } });
    await refused({ version: "2" }, /pages names other, pages-v1 \(allowed: one index\)/);
  });

  it("names documents that the new mapping refuses; the same version may be corrected", async () => {
    await begun(1000);
    const wrong = { ...body, mappings: { properties: { n: { type: "ip" } } } };
    await reach({ version: "2", body: wrong }, ["check", "create"]);
    const ran = await step("copy", { version: "2", body: wrong });
    expect(ran.err).toMatch(/pages-v2 was not copied: .*failed to parse.*pages is as it was/);
    expect(ran.code).toBe(77);
    expect((await step("swap", { version: "2", body: wrong })).code).toBe(77);
    expect(await aliasOf()).toEqual(["pages-v1"]);
    expect(await blocked("pages-v1")).toBe(false);
    await reach({ version: "2" });
    await nothingLost();
  });

  it("copies an id that was deleted and written anew with a lower version", async () => {
    await reach({ version: "1", body: { settings: { ...body.settings, gc_deletes: "0ms" } } });
    for (const n of [1, 2, 3]) await nodes.put("/pages/_doc/x", { n });
    await nodes.put("/pages/_doc/y", { n: 1 });
    await reach({ version: "2" }, ["check", "create", "copy"]);
    await nodes.ask("/pages/_doc/x", undefined, "DELETE");
    await nodes.ask("/pages/_doc/y", undefined, "DELETE");
    await nodes.ask("/pages/_refresh", {});
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const again = await nodes.put("/pages/_doc/x?refresh=true", { n: 4 });
    expect(again["_version"]).toBe(1);
    await reach({ version: "2" });
    expect(await nodes.ask("/pages-v2/_doc/x")).toMatchObject({ _source: { n: 4 } });
    await expect(nodes.ask("/pages-v2/_doc/y")).rejects.toThrow("404");
  });

  it("deletes old ones beyond those kept, and a copy that was given up, whose task is ended", async () => {
    await begun(2000);
    await reach({ version: "2" });
    await reach({ version: "3" });
    expect(await indexes()).toEqual(["pages-v2", "pages-v3"]);
    await nodes.put("/pages-v2/_alias/pinned", {});
    await reach({ version: "4", rate: 100 }, ["check", "create"]);
    await step("copy", { version: "4", rate: 100 }, async (group) => {
      await nodes.until("the task runs", 20, async () => (await tasks()).length === 1);
      process.kill(group, "SIGKILL");
    });
    const flipped = await reach({ version: "3", keep: 0 });
    expect(flipped["clean"]?.out).toContain("pages is pages-v3; deleted: pages-v4");
    expect(await tasks()).toEqual([]);
    expect(await indexes()).toEqual(["pages-v2", "pages-v3"]);
    await nothingLost();
  });

  it("changes an index in place, or says that it can't [002-107]", async () => {
    await begun(3000);
    const more = { mappings: { properties: { n: { type: "long", fields: { word: { type: "keyword" } } } } } };
    const update = { version: "1b", how: "update", body: more, rate: 1500 } as const;
    const ran = await reach(update, ["check", "update"]);
    expect(told(ran["update"] as Ran, "updated")).toMatch(/^[1-9]/);
    await changes.stop();
    await nodes.ask("/pages/_refresh", {});
    const all = await nodes.ask("/pages/_count");
    expect(await nodes.ask("/pages/_count", { query: { exists: { field: "n.word" } } })).toEqual(all);
    expect((await reach(update, ["update"]))["update"]?.out).toContain("pages is pages-v1, version 1b");
    const other = { mappings: { properties: { n: { type: "keyword" } } } };
    const refused = await step("update", { ...update, version: "1c", body: other });
    expect(refused.err).toMatch(/can't take the mapping of "1c" in place: .*use `how: reindex`/);
    expect(refused.code).toBe(77);
    const set = await step("update", {
      ...update,
      version: "1c",
      body: { settings: { number_of_shards: 3 } },
    });
    expect(set.err).toMatch(/other settings than the body of "1c": index\.number_of_shards/);
    await nothingLost();
  });

  it("imports an index of another cluster, which is only read [002-108]", async () => {
    const other = new SearchNodes(await searchHome("opensearch", "2.19.5"), {
      es9: { address: "127.0.0.14", zone: "safe", roles: ["data", "manager"] },
    });
    try {
      await other.start("es9");
      const far = new SearchChanges("http://127.0.0.14:19620", "old");
      await far.fill(2500);
      await far.stop();
      const wish = { version: "1", how: "import", from: "http://127.0.0.14:19620/old" } as const;
      const ran = await reach(wish);
      expect(ran["swap"]?.out).toContain("pages is pages-v1 now (was: none), 2500 documents");
      const copies = new SearchChanges(at, "pages");
      for (const [id, document] of far.wanted) copies.wanted.set(id, document);
      expect(await copies.wrong()).toEqual({ lost: [], back: [] });
      await reach(wish);
    } finally {
      await other.end();
    }
  });
});

const tasks = async (): Promise<string[]> => {
  const said = (await nodes.ask("/_tasks?actions=*reindex&group_by=none")) as {
    tasks: { headers: Record<string, string>; parent_task_id?: string }[];
  };
  return said.tasks
    .filter((task) => task.parent_task_id === undefined)
    .map(({ headers }) => headers["X-Opaque-Id"] ?? "");
};

const python = (name: string, ...words: string[]): string =>
  execFileSync(
    "python3",
    ["-I", join(import.meta.dirname, `../../scripts/search/${name}.py`), "logs", ...words],
    {
      encoding: "utf8",
      env: { ...process.env, CHANGEOVER_SEARCH: nodes.folder, CHANGEOVER_WATCH: join(nodes.folder, "watch") },
    },
  );
/** The watch of a host: it ends when no short lease is left. */
const watch = (): string => python("watch_leases");
const settings = (...words: string[]): string => python("settings", ...words);
