import { execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { root } from "../../config/places.ts";
import { searchHome } from "../../tools/workshop/search-archives.ts";
import { type Ran, SearchNodes, told } from "../support/search-members.ts";

const repository = "/_snapshot/changeover";
const scratch = "changeover-rehearsal-logs-";

let nodes: SearchNodes;
let id = 0;

/** A step of a transition of its own, unless it is to be the last one again. */
const run = (
  script: string,
  words: readonly string[] = [],
  same = false,
  killAfter?: number,
): Promise<Ran> => {
  if (!same) id += 1;
  nodes.claim(`t${String(id)}`);
  return nodes.script(script, words, killAfter, `t${String(id)}`);
};
const register = () => run("register-repository");
const take = (same = false, killAfter?: number) => run("take-snapshot", ["now"], same, killAfter);
const rehearse = (killAfter?: number) => run("rehearse-restore", ["always"], false, killAfter);
const good = async (ran: Promise<Ran>): Promise<Ran> => {
  const done = await ran;
  expect(done, done.err).toMatchObject({ code: 0 });
  return done;
};

interface Snapshot {
  readonly snapshot: string;
  readonly state: string;
}
const list = async (): Promise<Snapshot[]> =>
  ((await nodes.ask(`${repository}/_all`))["snapshots"] as Snapshot[]).map(({ snapshot, state }) => ({
    snapshot,
    state,
  }));
const indexes = async (): Promise<string[]> =>
  (
    (await nodes.ask("/_cat/indices?format=json&expand_wildcards=all&h=index")) as unknown as {
      index: string;
    }[]
  )
    .map(({ index }) => index)
    .filter((name) => !name.startsWith("."))
    .sort();
/** The repository with a limit of speed, so that a snapshot takes a while. */
const throttled = (rate: string | null) =>
  nodes.put(`${repository}?verify=false`, {
    type: "fs",
    settings: {
      location: nodes.repo,
      compress: "true",
      ...(rate === null ? {} : { max_snapshot_bytes_per_sec: rate, max_restore_bytes_per_sec: rate }),
    },
  });
/** Programs that write, delete and change documents until they are told to stop; how many changes they made. */
function writers(index: string): () => Promise<number> {
  const told = new AbortController();
  let count = 0;
  const work = (async () => {
    while (!told.signal.aborted) {
      const lines = [0, 1, 2].map(
        (n) => `{"index":{"_id":"w${String((count + n) % 50)}"}}\n{"n":${String(count)}}\n`,
      );
      const gone = `{"delete":{"_id":"w${String((count * 7) % 50)}"}}\n`;
      await nodes.ask(`/${index}/_bulk?filter_path=errors`, lines.join("") + gone);
      count += 4;
      await pause(10);
    }
  })();
  return async () => {
    told.abort();
    await work;
    return count;
  };
}

describe("snapshots of a search cluster on real nodes", () => {
  beforeAll(async () => {
    nodes = new SearchNodes(await searchHome("opensearch", "2.19.5"), {
      es1: { address: "127.0.0.22", zone: "safe", roles: ["data", "manager"] },
      es2: { address: "127.0.0.23", zone: "spot", roles: ["data"] },
    });
    await nodes.start("es1", "es2");
  });
  afterAll(() => nodes.end());
  beforeEach(async () => {
    for (const { snapshot } of await list().catch(() => []))
      await nodes.ask(`${repository}/${snapshot}`, undefined, "DELETE");
    await nodes.ask(repository, undefined, "DELETE").catch(() => undefined);
    await nodes.reset();
    nodes.repo = join(nodes.folder, "repo");
    nodes.writeFacts();
  });

  it("registers the repository once, and refuses one that is somebody else's", async () => {
    const first = await good(register());
    expect(first.out).toContain("repository changeover of logs is registered: 2 nodes write to");
    expect((await good(register())).out).toContain("is registered as before");
    nodes.repo = join(nodes.folder, "repo", "other");
    nodes.writeFacts();
    const other = await register();
    expect(other.err).toMatch(
      /repository changeover of logs is \S+\/repo, set earlier or by somebody else \(expected: \S+\/repo\/other\)/,
    );
    expect(other.code).toBe(77);
    await nodes.ask(repository, undefined, "DELETE");
    nodes.repo = "/srv/elsewhere";
    nodes.writeFacts();
    const late = await register();
    expect(late.err).toMatch(/run without path.repo \/srv\/elsewhere; start again: npx pulumi up/);
    const before = await run("take-snapshot", ["before", "version", "60"]);
    expect(before.out).toContain("no snapshot is needed before this restart of logs (kind: bounce");
  });

  it("takes one with what it counted, says its age, and a younger one is enough [003-058]", async () => {
    await good(register());
    await nodes.index("a", 6);
    const taken = await good(take());
    expect(taken.out).toMatch(
      /snapshot changeover-logs-\d{8}-\d{6} is good: 1 indexes, 6\.\d MiB, of which 6\.\d MiB new/,
    );
    const name = told(taken, "snapshot") ?? "";
    const record = JSON.parse(
      readFileSync(join(nodes.folder, "root", "logs", "snapshots", `${name}.json`), "utf8"),
    ) as object;
    expect(record).toEqual({ before: { a: { docs: 6, ops: 6 } }, after: { a: { docs: 6, ops: 6 } } });
    // The same transition once more takes no second one, another one does.
    expect(told(await good(take(true)), "snapshot")).toBe(name);
    expect(await list()).toHaveLength(1);
    await pause(1100);
    const second = await good(take());
    expect(Number(told(second, "new_bytes"))).toBeLessThan(100_000);
    expect(await list()).toHaveLength(2);
  });

  it("goes on with the snapshot that a killed run began, and says how far it is", async () => {
    await good(register());
    await nodes.index("a", 16);
    await throttled("1mb");
    await take(false, 2500);
    const [begun] = await list();
    expect(begun).toMatchObject({ state: "IN_PROGRESS" });
    const drain = await run("begin-drain", ["es2", "7200", "0"]);
    expect([drain.code, drain.err]).toEqual([
      77,
      expect.stringContaining(`snapshot changeover/${begun?.snapshot ?? ""} is running`),
    ]);
    id -= 1;
    const went = await good(take(true));
    expect(went.err).toContain(`going on with snapshot ${begun?.snapshot ?? ""}`);
    expect(went.err).toMatch(/snapshot \S+: \d+(\.\d)? \S+ of 16 MiB, 0 of 1 shards/);
    expect(await list()).toEqual([{ snapshot: begun?.snapshot, state: "SUCCESS" }]);
    expect(told(went, "snapshot")).toBe(begun?.snapshot);
  });

  it("waits for a snapshot of somebody else, and leaves it alone", async () => {
    await good(register());
    await nodes.index("a", 8);
    await throttled("1mb");
    await nodes.put(`${repository}/theirs`, {});
    const ran = await good(take());
    expect(ran.err).toContain(
      "waiting until no snapshot or restore of others runs in logs: snapshot theirs runs",
    );
    await throttled(null);
    // After a loss the snapshots of the cluster that was are the data.
    const earlier = "changeover-logs-20200101-000000";
    await nodes.put(`${repository}/${earlier}?wait_for_completion=true`, {
      metadata: { changeover: "logs", cluster: "another", id: "x" },
    });
    for (const _ of [1, 2]) {
      await pause(1100);
      await good(take());
    }
    const before = await list();
    expect(before).toHaveLength(5);
    const cleaned = await good(run("clean-snapshots", ["2"]));
    expect(cleaned.out).toContain(
      "keeps 2 snapshots of this program (limit: 2 good ones), 1 deleted; 1 of an earlier cluster of this name stay",
    );
    const left = (await list()).map(({ snapshot }) => snapshot);
    expect(left).toHaveLength(4);
    expect(left).toEqual(
      expect.arrayContaining(["theirs", earlier, ...before.slice(-2).map(({ snapshot }) => snapshot)]),
    );
  });

  it("restores into scratch indexes and compares under writes, and nothing of them stays [003-124]", async () => {
    await good(register());
    await nodes.index("a", 6, { number_of_shards: 2 });
    await nodes.index("b", 2);
    await nodes.ask("/_aliases", { actions: [{ add: { index: "a", alias: "pages" } }] });
    await throttled("2mb");
    const found = await nodes.settings();
    const stop = writers("a");
    await good(take());
    const ran = await good(rehearse());
    const written = await stop();
    expect(written).toBeGreaterThan(100);
    expect(ran.out).toMatch(
      /restored in \d+\.\d s: 2 indexes, 8\.\d MiB, \d+ documents, \d+ compared one by one; a rebuild of all takes about \d+ s before replicas/,
    );
    expect(Number(told(ran, "seconds"))).toBeGreaterThan(1.5);
    // Those of b at least: of a most were written again.
    expect(Number(told(ran, "compared"))).toBeGreaterThanOrEqual(2);
    expect(await indexes()).toEqual(["a", "b"]);
    expect(await nodes.settings()).toBe(found);
  });

  it("refuses a copy that lacks documents, and one whose document is another", async () => {
    await good(register());
    await nodes.index("a", 0);
    await nodes.put(`${repository}/empty?wait_for_completion=true`, {});
    await nodes.ask("/a/_doc/1?refresh=true", { n: 1 }, "PUT");
    const name = told(await good(take()), "snapshot") ?? "";
    const path = join(nodes.folder, "root", "logs", "snapshots", `${name}.json`);
    const right = readFileSync(path, "utf8");
    await good(rehearse());
    writeFileSync(path, right.replaceAll('"docs": 1', '"docs": 3'));
    const fewer = await rehearse();
    expect(fewer.err).toContain(
      "is wrong: a: the copy has 1 documents (allowed: 3, by the count before the snapshot). Do not rely on it",
    );
    expect(fewer.code).toBe(77);
    writeFileSync(path, right.replaceAll('"ops": 1', '"ops": 2'));
    expect((await rehearse()).err).toContain(
      "a: the copy has 1 operations, and 2 were counted before the snapshot",
    );
    writeFileSync(path, right);
    await nodes.ask("/a", undefined, "DELETE");
    await nodes.ask(`${repository}/empty/_restore?wait_for_completion=true`, { indices: "a" });
    await nodes.ask("/a/_doc/1?refresh=true", { n: 2 }, "PUT");
    const other = await rehearse();
    expect(other.err).toContain(
      "a: 1 of the copy are other documents in the index, after 0 operations since",
    );
    expect(other.code).toBe(77);
    expect(await indexes()).toEqual(["a"]);
  });

  it("has the data again by the commands of the runbook, and a rehearsal does not touch them", async () => {
    await good(register());
    await nodes.index("a", 2);
    await nodes.index("b", 1);
    const name = told(await good(take()), "snapshot") ?? "";
    for (const index of ["a", "b"]) await nodes.ask(`/${index}`, undefined, "DELETE");
    const page = readFileSync(join(root, "docs", "runbook.md"), "utf8");
    const lost = page.slice(page.indexOf("## The data of a search cluster is lost"));
    const [register_, list_, , restore] = [
      ...lost.slice(0, lost.indexOf("\n## ", 3)).matchAll(/curl (?:[^\\\n]|\\\n)*/g),
    ].map(([command]) =>
      command
        .replaceAll("<address>:9200", "127.0.0.22:19620")
        .replaceAll("<snapshot>", name)
        .replaceAll("/srv/catalogue-snapshots", nodes.repo ?? "")
        .replaceAll('"pages"', '"*,-.*"'),
    );
    const shell = (command = "false") => execFileSync("bash", ["-c", command], { encoding: "utf8" });
    expect(shell(register_)).toContain('"acknowledged":true');
    expect(shell(list_)).toMatch(new RegExp(`"snapshot" : "${name}",[^]*"documents" : 3[^]*"SUCCESS"`));
    expect(shell(restore)).toContain('"accepted":true');
    await nodes.ask("/_cluster/health?wait_for_status=green&timeout=60s");
    expect(await nodes.ask("/a,b/_count?filter_path=count")).toEqual({ count: 3 });
    await good(rehearse());
    expect(await indexes()).toEqual(["a", "b"]);
  });

  it("refuses a rehearsal for which there is no room, before anything is restored", async () => {
    await good(register());
    await nodes.index("a", 2);
    await good(take());
    await nodes.set({ "cluster.routing.allocation.disk.watermark.low": "1%" });
    const ran = await rehearse();
    expect(ran.err).toMatch(
      /a \(2\.\d MiB, largest shard 2\.\d MiB\) has no room for a rehearsal below the low watermark: es1 \S+ \S+, es2 .*; free disk space, or snapshots\.trial: false/,
    );
    expect(ran.code).toBe(77);
    expect(await indexes()).toEqual(["a"]);
    expect(await nodes.settings()).not.toContain("rehearsal");
  });

  it("says which index of a copy can't be read", async () => {
    await good(register());
    await nodes.index("a", 2);
    await good(take());
    const files = readdirSync(join(nodes.repo ?? "", "indices"), { recursive: true, encoding: "utf8" })
      .map((file) => join(nodes.repo ?? "", "indices", file))
      .filter((file) => file.includes("__") && statSync(file).size > 100_000);
    const bytes = readFileSync(files[0] ?? "");
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    writeFileSync(files[0] ?? "", bytes);
    const ran = await rehearse();
    expect(ran.err).toMatch(
      /can't be restored: changeover-rehearsal-logs-a\[0\]: CorruptIndexException\[checksum failed/,
    );
    expect(ran.code).toBe(77);
    expect(await indexes()).toEqual(["a"]);
  });

  it("leaves scratch indexes to the next run and to the watch when it is killed", async () => {
    await good(register());
    await nodes.index("a", 8);
    await nodes.index("b", 8);
    await good(take());
    await throttled("1mb");
    const found = await nodes.settings();
    await rehearse(3500);
    expect(await indexes()).toEqual(["a", "b", `${scratch}a`, `${scratch}b`]);
    await nodes.ask("/_aliases", { actions: [{ add: { index: `${scratch}a`, alias: "mine" } }] });
    const watch = spawn("python3", ["-I", join(root, "scripts", "search", "watch_leases.py"), "logs"], {
      env: { ...process.env, CHANGEOVER_SEARCH: nodes.folder, CHANGEOVER_WATCH: join(nodes.folder, "watch") },
    });
    try {
      await nodes.until("the lease is given back", 90, async () => (await nodes.settings()) === found);
      expect(await indexes()).toEqual(["a", "b", `${scratch}a`]);
    } finally {
      watch.kill("SIGKILL");
    }
    const used = await rehearse();
    expect([used.code, used.err]).toEqual([
      77,
      expect.stringContaining(`${scratch}a has an alias, so somebody uses it`),
    ]);
    await nodes.ask("/_aliases", { actions: [{ remove: { index: `${scratch}a`, alias: "mine" } }] });
    await throttled(null);
    await good(rehearse());
    expect(await indexes()).toEqual(["a", "b"]);
  });

  it("refuses a snapshot that lacks shards, by its indexes, and the next run takes another one", async () => {
    await good(register());
    await nodes.index("a", 1);
    await nodes.index("bare", 12, { number_of_replicas: 0, "routing.allocation.require._name": "es2" });
    await throttled("1mb");
    const began = take();
    await pause(4000);
    await nodes.kill("es2");
    const ran = await began;
    expect(ran.err).toMatch(/is PARTIAL \(needed: SUCCESS\): bare\[0\]: .*mend that, then run npx pulumi up/);
    expect(ran.code).toBe(77);
    const red = await take(true);
    expect([red.code, red.err]).toEqual([
      77,
      expect.stringContaining("bare of logs is red, and a snapshot would lack it"),
    ]);
    expect((await rehearse()).err).toContain("has no good snapshot of this program");
    await nodes.start("es2");
    await nodes.ask("/_cluster/health?wait_for_status=green&timeout=60s");
    await throttled(null);
    await good(take(true));
    expect((await list()).map(({ state }) => state).sort()).toEqual(["PARTIAL", "SUCCESS"]);
    expect((await good(run("clean-snapshots", ["5"]))).out).toContain("1 deleted");
  });

  it("names the node that does not see the folder", async () => {
    await nodes.kill("es2");
    nodes.forget("es2");
    nodes.add("es3", { address: "127.0.0.23", zone: "spot", roles: ["data"], repo: "mine" });
    await nodes.start("es3");
    const ran = await register();
    expect(ran.err).toMatch(
      /\/repo on es3 is not the folder that all nodes of logs share: .*; mount it there, and let nobody write/,
    );
    expect(ran.code).toBe(77);
    await expect(list()).rejects.toThrow("404");
  });
});
