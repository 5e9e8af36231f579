import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SearchLoopback } from "../support/search-loopback.ts";

const minute = 60_000;
const enable = "cluster.routing.allocation.enable";

describe("scripts of a rescue, on real nodes", () => {
  let rig: SearchLoopback;
  let found: object;
  const node = (number: number, turn: string) => rig.script(number, "rescue-node", [turn]);
  const index = async (name: string, settings: object): Promise<void> => {
    await rig.ask(`/${name}`, {
      settings: { "index.unassigned.node_left.delayed_timeout": "0", ...settings },
    });
    const lines = Array.from({ length: 50 }, (_, n) => `{"index":{}}\n{"n":${String(n)}}\n`).join("");
    await rig.ask(`/${name}/_bulk?refresh=true`, lines, "POST");
    await rig.until(`${name} is green`, 60, async () => (await rig.health()).status === "green");
  };

  beforeAll(async () => {
    rig = await SearchLoopback.start();
    await rig.ask("/_cluster/settings", { persistent: { [enable]: "all" } });
    await index("a", { number_of_shards: 3, number_of_replicas: 1 });
    found = await rig.settings();
  }, 3 * minute);
  afterAll(() => {
    rig.stop();
  });

  it(
    "start a cluster without a manager, node by node, past one that can't start, whose reason is said [002-077] [002-080] [002-082]",
    async () => {
      for (const number of [1, 2, 3]) rig.kill(number);
      rig.plan(1, "b");
      const begun = await rig.script(1, "begin-rescue");
      expect(begun, begun.err).toMatchObject({ code: 0 });
      expect(begun.out).toContain("no node sees a manager; answering: none; allocation is not held");
      const bad = await node(1, "first");
      expect(bad, bad.err).toMatchObject({ code: 0 });
      expect(bad.out).toMatch(/es1 does not come up: it ended with .*unknown setting \[indices\.no\.such\]/);
      const alone = await node(2, "first");
      expect(alone.out).toContain("es2 is started (before: ");
      expect(alone.out).toContain("waits for a manager");
      expect((await node(3, "first")).out).toContain("and is in");
      // The manager is there, so what is placed is held from here on.
      expect(JSON.stringify(await rig.settings())).toContain(`"${enable}":"primaries"`);
      expect((await node(1, "then")).out).toContain("up=no");
      expect((await node(2, "then")).out).toContain("es2 is in");
      const ended = await rig.script(2, "end-rescue");
      expect(ended, ended.err).toMatchObject({ code: 0 });
      expect(ended.out).toMatch(/logs is (green|yellow).*not in: es1.* verdict=good missing=es1/);
      expect(await rig.settings()).toEqual(found);
      rig.plan(1, "a");
      expect((await node(1, "then")).out).toContain("es1 is started");
      expect((await rig.script(2, "end-rescue")).out).toContain("all nodes are in");
      await rig.ask("/a/_refresh", undefined, "POST");
      expect(await rig.ask<{ count: number }>("/a/_count")).toMatchObject({ count: 50 });
    },
    6 * minute,
  );

  it(
    "start the node first whose disk has a red shard, and say what a red cluster needs, with the loss; nothing is deleted [002-079] [002-081]",
    async () => {
      await index("single", { number_of_replicas: 0, "index.routing.allocation.require._name": "es2" });
      rig.kill(2);
      rig.plan(2, "b");
      await rig.until("it is out", 30, async () => (await rig.health()).number_of_nodes === 2);
      const begun = await rig.script(1, "begin-rescue");
      expect(begun.out).toMatch(/not in: es2; red: single\[0\]; allocation is held \(primaries\)/);
      expect((await node(2, "first")).out).toContain("up=no");
      const red = await rig.script(1, "end-rescue");
      expect(red.code).toBe(77);
      expect(red.err).toMatch(/logs stays red: single\[0\]: .*may be on es2, not in: start these first/);
      expect(red.err).toMatch(/loses every document of this shard: curl .*allocate_empty_primary/);
      expect(await rig.settings()).toEqual(found);
      rig.plan(2, "a");
      const needed = await node(2, "first");
      expect(needed, needed.err).toMatchObject({ code: 0 });
      expect(needed.out).toContain("es2 is started");
      const ended = await rig.script(1, "end-rescue");
      expect(ended, ended.err).toMatchObject({ code: 0 });
      expect(await rig.ask<{ count: number }>("/single/_count")).toMatchObject({ count: 50 });
      await rig.ask("/single", undefined, "DELETE");
    },
    6 * minute,
  );

  it(
    "give back what they held when they die, and go on [002-082]",
    async () => {
      rig.kill(3);
      await rig.until("it is out", 30, async () => (await rig.health()).number_of_nodes === 2);
      expect((await rig.script(1, "begin-rescue")).out).toContain("allocation is held (primaries)");
      expect((await node(3, "first")).out).toContain("es3 is not in; others come first");
      await rig.script(3, "rescue-node", ["then"], 1500);
      expect(JSON.stringify(await rig.settings())).toContain(`"${enable}":"primaries"`);
      expect((await node(3, "then")).out).toMatch(/es3 (runs|is started.*), and is in/);
      const ended = await rig.script(1, "end-rescue");
      expect(ended, ended.err).toMatchObject({ code: 0 });
      expect(await rig.settings()).toEqual(found);
    },
    4 * minute,
  );

  it(
    "refuse to end while somebody else keeps allocation off, in words",
    async () => {
      await rig.ask("/_cluster/settings", { persistent: { [enable]: "none" } });
      const ended = await rig.script(1, "end-rescue");
      expect(ended.code).toBe(77);
      expect(ended.err).toContain(
        `${enable} of logs is "none" (persistent; allowed: all), set by somebody else`,
      );
      await rig.ask("/_cluster/settings", { persistent: { [enable]: "all" } });
    },
    minute,
  );

  it(
    "see that nobody writes, and name the index that still grows [002-078] [002-083]",
    async () => {
      const still = await rig.script(1, "check-still");
      expect(still, still.err).toMatchObject({ code: 0 });
      expect(still.out).toContain("nothing was written to logs for 3 s");
      const ended = new AbortController();
      const writer = (async () => {
        while (!ended.signal.aborted) {
          await rig.ask("/a/_doc", { n: 1 }, "POST");
          await pause(100);
        }
      })();
      const written = await rig.script(1, "check-still");
      ended.abort();
      await writer;
      expect(written.code).toBe(77);
      expect(written.err).toMatch(/somebody else writes to logs: a \(\d+ a second\)/);
    },
    2 * minute,
  );
});
