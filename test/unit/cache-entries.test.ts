import { afterEach, describe, expect, it } from "vitest";
import { allFound, entriesOf } from "../support/cache-entries.ts";
import { type Entry, Memcached, Ring, whyNoMemcached } from "../support/memcached.ts";
import { scratch } from "../support/estate.ts";

const keysOf = (entries: readonly Entry[]) => entries.map(({ key }) => key);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(whyNoMemcached() !== undefined)("entries of a cache", { timeout: 60_000 }, () => {
  const made: { stop: () => void }[] = [];
  const place = () => {
    const { path, remove } = scratch("changeover-cache-");
    made.push({ stop: remove });
    return path;
  };
  const start = async (folder: string, ...words: string[]) => {
    const node = await Memcached.start(folder, ...words);
    made.push(node);
    return node;
  };
  /** A ring of one node that gets a second one. */
  const growing = async (entries: readonly Entry[]) => {
    const folder = place();
    const [one, two] = [await start(folder), await start(folder)];
    const ring = new Ring(folder);
    ring.write(one);
    await one.set(entries);
    const owners = ring.owners([one, two], keysOf(entries));
    const moving = entries.filter(({ key }) => owners.get(key) === two);
    return { one, two, ring, both: [one, two], moving };
  };
  afterEach(() => {
    for (const one of made.splice(0).reverse()) one.stop();
  });

  it.each([10, 100])("%i that users have read are all kept over a restart", async (count) => {
    const folder = place();
    const node = await start(folder);
    const entries = entriesOf(count);
    await node.set(entries);
    await node.get(keysOf(entries));
    // An entry that is read again later than a second after its storage is moved within memcached.
    await pause(2000);
    const { code, said } = new Ring(folder).keep(node);
    expect([code, said]).toEqual([0, `${String(count)} of ${String(count)} entries kept\n`]);
    allFound(await node.get(keysOf(entries)), entries);
  });

  it("are kept though the walk through them is switched off, and it stays off", async () => {
    const folder = place();
    const node = await start(folder, "-o", "no_lru_crawler");
    const entries = entriesOf(50);
    await node.set(entries);
    expect(new Ring(folder).keep(node).said).toBe("50 of 50 entries kept\n");
    expect(await node.ask("lru_crawler metadump all\r\n", /\n$/)).toContain("crawler disabled");
  });

  it("that were not kept are said to be missing", async () => {
    const folder = place();
    const node = await start(folder, "-m", "64");
    const entries = entriesOf(60, 500_000);
    await node.set(entries);
    const { code, said } = new Ring(folder).keep(node, node.restart("-m", "10"));
    expect(code).toBe(0);
    expect(said).toMatch(
      /^\d+ of 60 entries kept, bad: the server counted 60 before; \d+ had no room after it\n$/,
    );
  });

  it("of a minute to 400 days are found at their new node, and gone from the old one", async () => {
    const entries = entriesOf(2000);
    const { one, two, ring, both, moving } = await growing(entries);
    expect(ring.before(both).said).toBe(`${String(moving.length)} entries copied to other nodes\n`);
    ring.write(one, two);
    expect(ring.after().code).toBe(0);
    allFound(await ring.find(both, keysOf(entries)), entries);
    expect((await one.get(keysOf(moving))).size).toBe(0);
  });

  it("are not lost when a half-way move runs again", async () => {
    const entries = entriesOf(400);
    const { one, two, ring, both } = await growing(entries);
    ring.before(both);
    ring.write(one, two);
    // The last one ended, and nobody saw its receipt.
    for (const id of ["1", "1", "2"]) expect(ring.after(id).code).toBe(0);
    allFound(await ring.find(both, keysOf(entries)), entries);
  });

  it("that a client changed, touched or removed meanwhile stay so", async () => {
    const entries = entriesOf(600).map((entry) => ({ ...entry, seconds: 3600 }));
    const { one, two, ring, both, moving } = await growing(entries);
    const [newer, older, touched, gone] = moving;
    if (!newer || !older || !touched || !gone) throw new Error("no entry moves");
    ring.before(both);
    await two.set([{ ...newer, value: "by the new ring" }]);
    // One client has the new ring already, and the run begins again.
    ring.before(both, "2");
    await one.set([
      { ...newer, value: "by the old ring" },
      { ...older, value: "changed" },
    ]);
    await one.ask(`mg ${touched.key} T7200\r\nmd ${gone.key} q\r\nmn\r\n`, /MN\r\n$/);
    ring.write(one, two);
    ring.after("2");
    const found = await ring.find(both, keysOf(entries));
    expect(found.get(newer.key)?.value).toBe("by the new ring");
    expect(found.get(older.key)?.value).toBe("changed");
    expect(found.get(touched.key)?.seconds).toBeGreaterThan(7000);
    expect(found.has(gone.key)).toBe(false);
    const changed = [newer.key, older.key, touched.key, gone.key];
    allFound(
      found,
      entries.filter(({ key }) => !changed.includes(key)),
    );
  });

  it("are found in a move that turns back half-way, with what clients of the new ring stored", async () => {
    const entries = entriesOf(600);
    const { one, two, ring, both, moving } = await growing(entries);
    const [newer] = moving;
    if (!newer) throw new Error("no entry moves");
    ring.before(both);
    ring.write(one, two);
    await two.set([{ ...newer, value: "newer" }]);
    ring.before([one], "2");
    ring.write(one);
    ring.after("2");
    const found = await one.get(keysOf(entries));
    expect(found.get(newer.key)?.value).toBe("newer");
    allFound(
      found,
      entries.filter(({ key }) => key !== newer.key),
    );
  });

  it("reach the new nodes that answer, though another one does not", async () => {
    const folder = place();
    const [one, two, three] = [await start(folder), await start(folder), await start(folder)];
    const ring = new Ring(folder);
    ring.write(one);
    const entries = entriesOf(2000);
    await one.set(entries);
    three.stop();
    const goal = [one, two, three];
    const { code, said } = ring.before(goal);
    expect(code).toBe(0);
    expect(said).toContain(`; ${three.place}: Connection refused`);
    const owners = ring.owners(goal, keysOf(entries));
    const there = entries.filter(({ key }) => owners.get(key) === two);
    allFound(await two.get(keysOf(there)), there);
    ring.write(...goal);
    ring.after();
    const dead = entries.filter(({ key }) => owners.get(key) === three);
    allFound(await one.get(keysOf(dead)), dead);
  });

  it("that the new node does not take are named, and the others move", async () => {
    const folder = place();
    const [one, two] = [await start(folder, "-I", "4m"), await start(folder)];
    const ring = new Ring(folder);
    ring.write(one);
    const small = entriesOf(50);
    const large = { key: "large", value: "x".repeat(2 ** 21), flags: 0, seconds: -1 };
    await one.set([...small, large]);
    const { code, said } = ring.before([two]);
    expect(code).toBe(0);
    expect(said).toContain("50 entries copied to other nodes; an entry was not stored: ");
    expect(said).toContain("object too large for cache");
    ring.write(two);
    ring.after();
    allFound(await two.get(keysOf(small)), small);
    expect((await one.get(["large"])).get("large")?.value).toBe(large.value);
  });
});
