import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { searchHome } from "../../tools/workshop/search-archives.ts";
import { SearchNodes, told } from "../support/search-members.ts";

const attributes = "cluster.routing.allocation.awareness.attributes";
const exclude = "cluster.routing.allocation.exclude._ip";
const addresses: Record<string, string> = {
  es1: "127.0.0.2",
  es2: "127.0.0.3",
  es3: "127.0.0.4",
  es4: "127.0.0.5",
};
const hours = "7200";

let nodes: SearchNodes;
const begin = (node: string, mibps = "0") => nodes.script("begin-drain", [node, hours, mibps]);
const show = (node: string) => nodes.script("show-drain", [node]);
const wait = (node: string, minutes = "1") => nodes.script("wait-drained", [node, minutes]);
const cancel = (node: string) => nodes.script("cancel-drain", [node]);

/** Says no with these words, within 15 s, and leaves the settings as they are. */
async function refused(node: string, words: RegExp): Promise<void> {
  const before = await nodes.settings();
  const ran = await begin(node);
  expect(ran.err).toMatch(words);
  expect(ran.code).toBe(77);
  expect(ran.seconds).toBeLessThan(15);
  expect(await nodes.settings()).toBe(before);
}

describe("drains of a search cluster on real nodes", () => {
  beforeAll(async () => {
    nodes = new SearchNodes(await searchHome("opensearch", "2.19.5"), {
      es1: { address: "127.0.0.2", zone: "safe", roles: ["data", "manager"] },
      es2: { address: "127.0.0.3", zone: "safe", roles: ["data", "manager"] },
      es3: { address: "127.0.0.4", zone: "spot", roles: ["data", "manager"] },
      es4: { address: "127.0.0.5", zone: "spot", roles: ["data"] },
    });
    await nodes.start("es1", "es2", "es3", "es4");
  });
  afterAll(() => nodes.end());
  beforeEach(() => nodes.reset());

  it("begins within seconds, shows progress, ends by the shards, and a flip back leaves all as found [003-082] [003-106] [003-092]", async () => {
    await nodes.set({ [exclude]: "127.0.0.99" });
    await nodes.index("a", 12);
    const [from] = (await nodes.places())["a[0]"]?.filter((name) => name === "es3" || name === "es4") ?? [];
    if (from === undefined) throw new Error("awareness put no copy on a spot node");
    const found = await nodes.settings();
    const began = await begin(from, "2");
    expect(began, began.err).toMatchObject({ code: 0 });
    expect(began.out).toMatch(
      new RegExp(`^logs-es4 ${from}: draining \\d+ %, 1[0-9] MiB of 1[0-9] MiB left, 1 copies`),
    );
    expect(began.seconds).toBeLessThan(10);
    expect(await nodes.settings()).toContain(`"${exclude}","127.0.0.99,${addresses[from] ?? ""}"`);
    const left: number[] = [];
    let last = await show(from);
    while (told(last, "drained") === "no") {
      expect(last.code).toBe(0);
      left.push(Number(told(last, "left_bytes")));
      await new Promise((resolve) => setTimeout(resolve, 1500));
      last = await show(from);
      if (Number(told(last, "left_bytes")) > 3 * 2 ** 20 && left.length > 3)
        expect(Number(told(last, "bytes_per_second"))).toBeGreaterThan(2 ** 19);
    }
    expect(left.length).toBeGreaterThan(1);
    expect(left).toEqual([...left].sort((one, other) => other - one));
    expect(await nodes.on(from)).toEqual([]);
    expect((await wait(from)).code).toBe(0);
    const back = await cancel(from);
    expect(back.out).toContain(`${from} may have shards again`);
    expect(await nodes.settings()).toBe(found);
    expect((await cancel(from)).out).toContain("nothing is changed");
  });

  it("goes on when its scripts are killed, and keeps what was found first", async () => {
    await nodes.set({ "indices.recovery.max_bytes_per_sec": "30mb" });
    await nodes.index("a", 12);
    const from = (await nodes.on("es3")).length > 0 ? "es3" : "es4";
    const found = await nodes.settings();
    for (const after of [150, 300, 600, 900]) await nodes.script("begin-drain", [from, hours, "2"], after);
    expect((await begin(from, "2")).code).toBe(0);
    await nodes.script("wait-drained", [from, "1"], 1500);
    await nodes.script("wait-drained", [from, "1"], 2500);
    const late = await wait(from, "0");
    expect(late.code).toBe(75);
    expect(late.err).toMatch(/draining \d+ %.* left.*run npx pulumi up again, it goes on/);
    expect(await wait(from)).toMatchObject({ code: 0 });
    await cancel(from);
    expect(await nodes.settings()).toBe(found);
  });

  it("lifts awareness to empty the whole spot zone, and puts it back in either order [003-065] [003-111] [003-089]", async () => {
    for (const order of [
      ["es3", "es4"],
      ["es4", "es3"],
    ]) {
      await nodes.reset();
      for (const name of ["a", "b", "c"]) await nodes.index(name, 1);
      const found = await nodes.settings();
      nodes.writeFacts({ es3: "drained", es4: "drained" });
      for (const name of ["es3", "es4"]) expect(await begin(name)).toMatchObject({ code: 0 });
      expect(await nodes.settings()).toContain(`"${attributes}",""`);
      for (const name of ["es3", "es4"]) expect(await wait(name)).toMatchObject({ code: 0 });
      expect([...(await nodes.on("es3")), ...(await nodes.on("es4"))]).toEqual([]);
      nodes.writeFacts();
      for (const name of order) await cancel(name);
      expect(await nodes.settings(), order.join(" ")).toBe(found);
    }
  });

  it("keeps awareness when one spot node stays", async () => {
    await nodes.index("a", 1);
    for (const name of ["es3", "es4"]) {
      expect(await begin(name)).toMatchObject({ code: 0 });
      expect(await nodes.settings()).toContain(`"${attributes}","zone"`);
      expect(await wait(name)).toMatchObject({ code: 0 });
      await cancel(name);
    }
  });

  it("refuses es1 after the spot zone: two safe nodes, one replica [003-085]", async () => {
    await nodes.index("a", 1);
    nodes.writeFacts({ es3: "drained", es4: "drained" });
    for (const name of ["es3", "es4"]) await begin(name);
    await wait("es4");
    nodes.writeFacts({ es1: "drained", es3: "drained", es4: "drained" });
    await refused(
      "es1",
      /a\[0\]: same_shard on es2; 2 copies, 1 nodes left: add 1 node, or lower the replicas/,
    );
  });

  it("is in force over a transient exclusion that is empty, and returns it [003-088] [003-087] [003-104]", async () => {
    await nodes.index("a", 1);
    await nodes.set({}, { [exclude]: "" });
    const found = await nodes.settings();
    const from = (await nodes.on("es3")).length > 0 ? "es3" : "es4";
    expect(await begin(from)).toMatchObject({ code: 0 });
    expect(await wait(from)).toMatchObject({ code: 0 });
    expect(await nodes.on(from)).toEqual([]);
    await cancel(from);
    expect(await nodes.settings()).toBe(found);
  });

  it("says its exclusion again when somebody overwrote the list, and keeps the new entry [003-103] [003-105]", async () => {
    await nodes.index("a", 6);
    const from = (await nodes.on("es3")).length > 0 ? "es3" : "es4";
    await begin(from, "1");
    await nodes.set({ [exclude]: "127.0.0.98" });
    expect((await show(from)).code).toBe(0);
    expect(await nodes.settings()).toContain(`"${exclude}","127.0.0.98,${addresses[from] ?? ""}"`);
    expect(await wait(from)).toMatchObject({ code: 0 });
    await cancel(from);
    expect(await nodes.settings()).toContain(`"${exclude}","127.0.0.98"`);
  });

  it("does not begin while a snapshot runs; one that begins later stops it, with a word, until its end", async () => {
    await repository("1mb");
    await nodes.index("a", 12);
    const from = (await nodes.on("es3")).length > 0 ? "es3" : "es4";
    // A shard stands still while its primary is copied.
    await primaryOn("a", from);
    await nodes.put("/_snapshot/r/one?wait_for_completion=false", { indices: "a" });
    await refused(from, new RegExp(`snapshot r/one is running, so ${from} can't be emptied now`));
    await ended("one");
    await nodes.put("/_snapshot/r/two?wait_for_completion=false", { indices: "a" });
    await nodes.ask("/_snapshot/r/two", undefined, "DELETE");
    await nodes.index("b", 6, { "routing.allocation.include._name": `es1,${from}` });
    await primaryOn("b", from);
    await nodes.put("/_snapshot/r/three?wait_for_completion=false", { indices: "b" });
    await nodes.put("/b/_settings", { "index.routing.allocation.include._name": null });
    nodes.claim("another");
    await nodes.set({ [exclude]: addresses[from] });
    const shown = await show(from);
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(
      /b\[0\]: snapshot r\/three is running \(snapshot_in_progress\); goes on when the snapshot has ended/,
    );
    await ended("three");
    await nodes.set({ [exclude]: null });
    nodes.claim("one");
    expect(await begin(from)).toMatchObject({ code: 0 });
    expect(await wait(from)).toMatchObject({ code: 0 });
  });

  it("explains limits, filters and copies without a place, and writes nothing", async () => {
    await nodes.index("a", 1, { number_of_shards: 4, "routing.allocation.total_shards_per_node": 2 });
    await refused("es1", /a\[\d\].*shards_limit on /);
    await nodes.ask("/a", undefined, "DELETE");
    await nodes.set({ [attributes]: "" });
    await nodes.index("b", 1, { number_of_replicas: 0, "routing.allocation.require._name": "es2" });
    await refused("es2", /b\[0\]: filter on es1, es3, es4; change index\.routing\.allocation\.require/);
    await nodes.ask("/b", undefined, "DELETE");
    await nodes.index("c", 1, { number_of_replicas: 3 });
    await refused("es4", /c\[0\]: same_shard on es1, es2, es3; 4 copies, 3 nodes left: add 1 node/);
  });

  it("refuses when allocation is off", async () => {
    await nodes.index("a", 1);
    const from = (await nodes.on("es3")).length > 0 ? "es3" : "es4";
    await nodes.set({ "cluster.routing.allocation.enable": "none" });
    await refused(
      from,
      /a\[0\]: .*enable on .*let shards move: "cluster\.routing\.allocation\.enable": null/,
    );
  });

  it("names what stops a drain that was begun, and asks a person at once [003-110]", async () => {
    await nodes.index("a", 4);
    const from = (await nodes.on("es3")).length > 0 ? "es3" : "es4";
    await begin(from, "1");
    await nodes.put("/a/_settings", { "index.routing.allocation.require._ip": addresses[from] });
    // The copy that moves arrives nowhere now: its target is no place for it any more.
    await nodes.ask("/_cluster/reroute", { commands: [] });
    const ran = await wait(from, "2");
    if (ran.code !== 0) {
      expect(ran.code).toBe(77);
      expect(ran.err).toMatch(/filter on .*; change index\.routing\.allocation\.require/);
      expect(ran.seconds).toBeLessThan(40);
    }
    await nodes.put("/a/_settings", { "index.routing.allocation.require._ip": null });
    expect(await wait(from)).toMatchObject({ code: 0 });
  });

  it("refuses an index without a replica that may end on spot nodes alone, and moves one that is accepted [003-114]", async () => {
    await nodes.index("a", 1, { number_of_replicas: 0, "routing.allocation.require.zone": "safe" });
    await nodes.put("/a/_settings", { "index.routing.allocation.require.zone": null });
    const [from = ""] = (await nodes.places())["a[0]"] ?? [];
    await refused(
      from,
      /a\[0\]: es3, es4 \(spot\) may get every copy; add a safe node or a replica, or accept it/,
    );
    nodes.accept = ["a"];
    nodes.writeFacts();
    expect(await begin(from)).toMatchObject({ code: 0 });
    expect(await wait(from)).toMatchObject({ code: 0 });
    expect(await nodes.on(from)).toEqual([]);
  });

  it("moves a closed index", async () => {
    await nodes.index("a", 2);
    const from = (await nodes.on("es3")).length > 0 ? "es3" : "es4";
    await nodes.ask("/a/_close", {});
    await nodes.ask("/_cluster/health/a?wait_for_status=green&timeout=30s");
    const began = await begin(from, "1");
    expect(began).toMatchObject({ code: 0 });
    expect(Number(told(began, "total_bytes"))).toBeGreaterThan(2 ** 20);
    expect(await wait(from)).toMatchObject({ code: 0 });
    expect(await nodes.on(from)).toEqual([]);
    await nodes.ask("/a/_open", {});
  });

  it("counts the bytes that a small disk can take below its watermark [003-085]", async () => {
    nodes.add("es5", { address: "127.0.0.6", zone: "safe", roles: ["data"], diskMiB: 48 });
    await nodes.start("es5");
    await nodes.index("a", 40, { number_of_replicas: 0, "routing.allocation.require._name": "es1" });
    await nodes.set({ "cluster.routing.allocation.disk.watermark.low": "50%" });
    await nodes.put("/a/_settings", {
      "index.routing.allocation.require._name": null,
      "index.routing.allocation.include._name": "es1,es5",
    });
    await refused("es1", /needs \d\d MiB; below the low watermark of 50%: .*es5 2\d MiB/);
    await nodes.set({
      "cluster.routing.allocation.disk.watermark.low": "20mb",
      "cluster.routing.allocation.disk.watermark.high": "8mb",
      "cluster.routing.allocation.disk.watermark.flood_stage": "4mb",
    });
    await refused("es1", /es5 2\d MiB/);
    await nodes.set({
      "cluster.routing.allocation.disk.watermark.low": "95%",
      "cluster.routing.allocation.disk.watermark.high": "97%",
      "cluster.routing.allocation.disk.watermark.flood_stage": "99%",
    });
    expect(await begin("es1")).toMatchObject({ code: 0 });
    expect(await wait("es1")).toMatchObject({ code: 0 });
    expect((await nodes.places())["a[0]"]).toEqual(["es5"]);
    await nodes.ask("/a", undefined, "DELETE");
    await cancel("es1");
    await nodes.kill("es5");
    nodes.forget("es5");
  });

  it("refuses two nodes on one address", async () => {
    nodes.add("es6", {
      address: "127.0.0.5",
      zone: "spot",
      roles: ["data"],
      called: "es 4, spot*",
      transportPort: 19640,
    });
    await nodes.start("es6");
    await nodes.index("a", 1);
    await refused("es4", /es4 shares 127\.0\.0\.5 with es 4, spot\*; give each node an address of its own/);
    await nodes.kill("es6");
    nodes.forget("es6");
  });

  it("waits until copies of a node that died in its drain are built elsewhere", async () => {
    await nodes.index("a", 12);
    const from = (await nodes.on("es3")).length > 0 ? "es3" : "es4";
    await begin(from, "1");
    await nodes.kill(from);
    await nodes.until(`${from} has left`, 20, async () => !(await nodes.names()).includes(from));
    const shown = await show(from);
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(
      new RegExp(
        `${from} is not in the cluster, and its copies are not all rebuilt.*copies to build: a\\[0\\]`,
      ),
    );
    expect(told(shown, "drained")).toBe("no");
    const ended_ = await wait(from, "1");
    expect(ended_, ended_.err).toMatchObject({ code: 0 });
    expect(ended_.out).toContain("it is not in the cluster");
    expect((await nodes.places())["a[0]"]).not.toContain("-");
    // Its place is free for a new machine on the address afterwards.
    expect(await nodes.script("end-membership", [from])).toMatchObject({ code: 0 });
    expect(await nodes.settings()).not.toContain(exclude);
    await nodes.start(from);
  });

  it("takes a manager's vote, counts those that stay, and ends a membership; exclusions of others stay", async () => {
    nodes.writeFacts({ es3: "out" });
    expect(await nodes.script("leave-votes", ["es3"])).toMatchObject({ code: 77 });
    nodes.singleManager = true;
    nodes.writeFacts({ es3: "out" });
    const ran = await nodes.script("leave-votes", ["es3"]);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(ran.out).toMatch(/es3 has no vote any more; es[12] is the manager/);
    expect((await nodes.script("leave-votes", ["es3"])).out).toMatch(
      /es3 has no vote; es[12] is the manager/,
    );
    expect((await nodes.script("leave-votes", ["es4"])).out).toMatch(/es4 has no vote: it is no manager/);
    expect(await nodes.script("end-membership", ["es3"])).toMatchObject({ code: 77 });
    await nodes.ask("/_cluster/voting_config_exclusions?node_names=elsewhere", {});
    await begin("es3");
    await wait("es3");
    await nodes.kill("es3", "SIGTERM");
    await nodes.until("es3 has left", 20, async () => !(await nodes.names()).includes("es3"));
    const last = await nodes.script("end-membership", ["es3"]);
    expect(last, last.err).toMatchObject({ code: 0 });
    const votes = JSON.stringify(
      await nodes.ask("/_cluster/state/metadata?filter_path=metadata.cluster_coordination"),
    );
    expect(votes).toContain("elsewhere");
    expect(votes).not.toContain('"node_name":"es3"');
    expect(await nodes.settings()).not.toContain("127.0.0.4");
    expect((await nodes.script("end-membership", ["es3"])).code).toBe(0);
    await nodes.ask("/_cluster/voting_config_exclusions?wait_for_removal=false", undefined, "DELETE");
    await nodes.start("es3");
  });

  it("refuses to end a membership while a shard has its last copy there", async () => {
    await nodes.index("a", 1, { number_of_replicas: 0, "routing.allocation.require._name": "es4" });
    await nodes.kill("es4");
    await nodes.until("es4 has left", 20, async () => !(await nodes.names()).includes("es4"));
    const ran = await nodes.script("end-membership", ["es4"]);
    expect(ran.code).toBe(77);
    expect(ran.err).toMatch(/a\[0\] has no copy in logs any more; start es4 again/);
    await nodes.start("es4");
  });

  it("acts only under the claim, and shows without it", async () => {
    await nodes.index("a", 1);
    nodes.claim("another");
    const found = await nodes.settings();
    for (const [script, words] of [
      ["begin-drain", ["es4", hours, "0"]],
      ["wait-drained", ["es4", "1"]],
      ["cancel-drain", ["es4"]],
      ["leave-votes", ["es3"]],
      ["end-membership", ["es4"]],
    ] as const)
      expect(await nodes.script(script, words), script).toMatchObject({ code: 77 });
    const shown = await show("es4");
    expect(shown.code).toBe(0);
    expect(await nodes.settings()).toBe(found);
    expect((await nodes.script("begin-drain", ["es4;x", hours, "0"])).code).toBe(64);
    expect((await nodes.script("begin-drain", ["es9", hours, "0"])).code).toBe(77);
    expect((await nodes.script("show-drain", [])).code).toBe(64);
  });
});

async function repository(speed: string): Promise<void> {
  await nodes.put("/_snapshot/r", {
    type: "fs",
    settings: { location: join(nodes.folder, "repo"), max_snapshot_bytes_per_sec: speed },
  });
}

async function ended(snapshot: string): Promise<void> {
  await nodes.until(`snapshot ${snapshot} has ended`, 60, async () => {
    const { snapshots } = (await nodes.ask(`/_snapshot/r/${snapshot}`)) as { snapshots: { state: string }[] };
    return snapshots[0]?.state !== "IN_PROGRESS";
  });
}

/** The primary of shard 0 is moved to a node, where the other copy gives way. */
async function primaryOn(index: string, node: string): Promise<void> {
  const where = async () =>
    (
      (await nodes.ask(`/_cat/shards/${index}?format=json&h=prirep,node`)) as unknown as {
        prirep: string;
        node: string;
      }[]
    ).find(({ prirep }) => prirep === "p")?.node;
  const first = await where();
  if (first === node) return;
  await nodes.put(`/${index}/_settings`, { "index.number_of_replicas": 0 });
  await nodes.set({ [attributes]: "" });
  await nodes.ask("/_cluster/reroute", {
    commands: [{ move: { index, shard: 0, from_node: first, to_node: node } }],
  });
  await nodes.until(`${index} is on ${node}`, 60, async () => (await where()) === node);
  await nodes.put(`/${index}/_settings`, { "index.number_of_replicas": 1 });
  await nodes.set({ [attributes]: "zone" });
  await nodes.ask(`/_cluster/health/${index}?wait_for_status=green&timeout=30s`);
}
