import { afterEach, describe, expect, it } from "vitest";
import { allFound, entriesOf } from "../support/cache-entries.ts";
import { type Entry, Memcached, Ring, whyNoMemcached } from "../support/memcached.ts";
import { scratch } from "../support/estate.ts";

const minute = 60_000;
const keysOf = (entries: readonly Entry[]) => entries.map(({ key }) => key);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const counts = [10, 100, 1000, 20_000, 100_000];
/** How long a look at all entries may take (seconds). */
const slack = 15;
const memory = ["-m", "256"];

/** A ring of real servers whose nodes come, go and restart; clients store, read or leave their entries. */
describe.skipIf(whyNoMemcached() !== undefined)("entries of a cache, many of them", () => {
  const made: { stop: () => void }[] = [];
  const folder = () => {
    const { path, remove } = scratch("changeover-cache-");
    made.push({ stop: remove });
    return path;
  };
  const start = async (path: string, ...words: string[]) => {
    const node = await Memcached.start(path, ...memory, ...words);
    made.push(node);
    return node;
  };
  afterEach(() => {
    for (const one of made.splice(0).reverse()) one.stop();
  });

  const cases = counts.flatMap((count) =>
    (["read", "read twice", "left"] as const).map((use): [number, string] => [count, use]),
  );

  it.each(cases)(
    "%i, %s, are kept over two restarts in a row",
    async (count, use) => {
      const path = folder();
      const node = await start(path);
      const ring = new Ring(path);
      const entries = entriesOf(count);
      const began = Date.now();
      await node.set(entries);
      const reads = use === "read" ? 1 : use === "left" ? 0 : 2;
      for (let read = 0; read < reads; read++) {
        await node.get(keysOf(entries));
        await pause(1500);
      }
      for (const _ of [1, 2]) {
        const { code, said } = ring.keep(node);
        expect([code, said]).toEqual([0, `${String(count)} of ${String(count)} entries kept\n`]);
      }
      const late = Math.ceil((Date.now() - began) / 1000) + slack;
      const living = entries.filter(({ seconds }) => seconds < 0 || seconds > late);
      allFound(await node.get(keysOf(living)), living, late);
    },
    4 * minute,
  );

  it.each(counts)(
    "%i are found while nodes come and go, whoever restarts between",
    async (count) => {
      const path = folder();
      const ring = new Ring(path);
      const nodes = [await start(path), await start(path), await start(path)];
      const [one, two, three] = nodes as [Memcached, Memcached, Memcached];
      const entries = entriesOf(count);
      const began = Date.now();
      ring.write(one);
      await one.set(entries);
      let id = 0;
      const change = (...goal: Memcached[]) => {
        id++;
        const before = ring.before(goal, String(id), 120);
        expect(before.code, before.said).toBe(0);
        ring.write(...goal);
        const after = ring.after(String(id));
        expect([after.code, before.said + after.said]).toEqual([0, expect.not.stringContaining(";")]);
        return goal;
      };
      for (const goal of [[one, two], [one, two, three], [two, three], [one, two, three], [three]]) {
        change(...goal);
        const late = Math.ceil((Date.now() - began) / 1000) + slack;
        const living = entries.filter(({ seconds }) => seconds < 0 || seconds > late);
        allFound(await ring.find(goal, keysOf(living)), living, late);
      }
      expect(ring.keep(three).said).toMatch(/^\d+ of \d+ entries kept\n$/);
    },
    8 * minute,
  );

  it(
    "of 1 s live as long as they were to, and no longer",
    async () => {
      const path = folder();
      const [one, two] = [await start(path), await start(path)];
      const ring = new Ring(path);
      ring.write(one);
      const short = entriesOf(300).map((entry, n) => ({ ...entry, seconds: 1 + (n % 6) }));
      await one.set(short);
      const began = Date.now();
      ring.before([one, two]);
      ring.write(one, two);
      ring.after();
      const found = await ring.find([one, two], keysOf(short));
      const past = (Date.now() - began) / 1000;
      const living = short.filter(({ seconds }) => seconds > past + 2);
      expect(living.length).toBeGreaterThan(0);
      for (const { key } of living) expect(found.has(key), key).toBe(true);
      await pause(9000);
      expect((await ring.find([one, two], keysOf(short))).size).toBe(0);
    },
    minute,
  );

  it(
    "are copied by two moves at once",
    async () => {
      const path = folder();
      const [one, two, three] = [await start(path), await start(path), await start(path)];
      const [first, second] = [new Ring(`${path}/a`), new Ring(`${path}/b`)];
      const entries = entriesOf(5000);
      await one.set(entries);
      first.write(one);
      second.write(one);
      const both = await Promise.all([
        first.moving("before", [one, two]),
        second.moving("before", [one, three]),
      ]);
      for (const { code, said } of both) expect([code, said]).toEqual([0, expect.not.stringContaining(";")]);
      for (const [ring, other] of [
        [first, two],
        [second, three],
      ] as const)
        allFound(await ring.find([one, other], keysOf(entries)), entries, 20);
    },
    minute,
  );

  it(
    "of up to 1 MiB, and more where nodes take it, move and are kept",
    async () => {
      const path = folder();
      const large = ["-I", "8m"];
      const [one, two] = [await start(path, ...large), await start(path, ...large)];
      const ring = new Ring(path);
      ring.write(one);
      const sizes = [0, 1, 1000, 2 ** 19, 2 ** 20 - 200, 2 ** 20, 4 * 2 ** 20];
      const entries = entriesOf(70).map((entry, n) => ({ ...entry, value: "v".repeat(sizes[n % 7] ?? 0) }));
      await one.set(entries);
      ring.before([two]);
      ring.write(two);
      ring.after();
      expect(ring.keep(two).said).toBe("70 of 70 entries kept\n");
      allFound(await two.get(keysOf(entries)), entries, 20);
    },
    2 * minute,
  );
});
