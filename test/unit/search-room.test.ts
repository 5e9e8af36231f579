import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const folder = join(import.meta.dirname, "..", "..", "scripts", "search");

/** Calls `expression` of the scripts' Python, with `x` as each of the cases. */
function inPython<T>(modules: string, expression: string, cases: readonly unknown[]): T[] {
  const program = [
    "import json, sys",
    "sys.path.insert(0, sys.argv[1])",
    "sys.dont_write_bytecode = True",
    `import ${modules}`,
    `print(json.dumps([${expression} for x in json.load(sys.stdin)]))`,
  ].join("\n");
  return JSON.parse(
    execFileSync("python3", ["-I", "-c", program, folder], {
      input: JSON.stringify(cases),
      encoding: "utf8",
    }),
  ) as T[];
}

const gib = 1024 ** 3;

interface Copy {
  index: string;
  shard: number;
  primary: boolean;
  state: string;
  node: string | null;
  to: string | null;
  bytes: number;
  why: string | null;
  delayed: boolean;
  expands?: [number, number | null];
}

const copy = (index: string, node: string, more: Partial<Copy> = {}): Copy => ({
  ...{ index, shard: 0, primary: false, state: "STARTED", node, to: null, bytes: gib, why: null },
  delayed: false,
  ...more,
});

interface Case {
  facts: object;
  names: string[];
  seen: {
    nodes: Record<string, { name: string; ip: string; attributes: Record<string, string>; data: boolean }>;
    copies: Copy[];
    disks: Record<string, { total: number; free: number }>;
    limits: Record<string, number>;
    settings: Record<string, string>;
  };
  explained: Record<string, Record<string, [string, string, string][]>>;
}

interface Judged {
  feasible: boolean;
  lift_awareness: boolean;
  bytes: number;
  copies: number;
  blockers: string[];
}

/** es1 and es2 safe, es3 and es4 spot, 100 GiB each with 60 free; awareness in force as the seed has it. */
function cluster(
  names: string[],
  copies: Copy[],
  more: Partial<Case["seen"]> = {},
  facts: object = {},
): Case {
  const zones: Record<string, string> = { es1: "safe", es2: "safe", es3: "spot", es4: "spot" };
  const each = <T>(of: (name: string) => T) =>
    Object.fromEntries(Object.keys(zones).map((name) => [name, of(name)]));
  return {
    facts: {
      ...{ cluster: "logs", attribute: "zone", spot_zones: ["spot"], accept: [] },
      nodes: each((name) => ({ zone: zones[name], is: "in", roles: ["data"] })),
      ...facts,
    },
    names,
    seen: {
      nodes: each((name) => ({
        ...{ name, ip: `192.0.2.${name.slice(2)}`, data: true },
        attributes: { zone: zones[name] ?? "" },
      })),
      copies,
      disks: each(() => ({ total: 100 * gib, free: 60 * gib })),
      limits: {},
      settings: {
        "cluster.routing.allocation.awareness.attributes": "zone",
        "cluster.routing.allocation.awareness.force.zone.values": "safe,spot",
      },
      ...more,
    },
    explained: {},
  };
}

const judge = (cases: readonly Case[]) =>
  inPython<Judged>("room", 'room.judge(x["facts"], x["names"], x["seen"], x["explained"])', cases);

const off = { settings: {} };

describe("room of a search cluster [003-083] [003-085] [003-114]", () => {
  const table: [string, Case, Partial<Judged>, RegExp?][] = [
    [
      "a node with a copy that fits",
      cluster(["es1"], [copy("a", "es1"), copy("a", "es3")]),
      { feasible: true },
    ],
    [
      "one spot node while the other one stays: awareness stays",
      cluster(["es4"], [copy("a", "es1"), copy("a", "es4")]),
      { feasible: true, lift_awareness: false },
    ],
    [
      "the whole spot zone: awareness is lifted",
      cluster(["es3", "es4"], [copy("a", "es1"), copy("a", "es4"), copy("b", "es3"), copy("b", "es2")]),
      { feasible: true, lift_awareness: true, bytes: 2 * gib, copies: 2 },
    ],
    [
      "copies of an index that follows the number of nodes: the engine takes them away itself",
      cluster(
        ["es3", "es4"],
        ["es1", "es2", "es3", "es4"].map((name) => copy("a", name, { expands: [0, null] })),
      ),
      { feasible: true, copies: 2 },
    ],
    [
      "an index that follows the number of nodes, all of it on nodes that leave: its fewest copies need places",
      cluster(
        ["es3", "es4"],
        ["es3", "es4"].map((name) => copy("a", name, { expands: [1, 2], bytes: 50 * gib })),
      ),
      { feasible: false },
      /needs 100 GiB; below the low watermark of 85%: es1 45 GiB, es2 45 GiB/,
    ],
    [
      "the last spot node while the other one leaves by the configuration",
      cluster(
        ["es3"],
        [copy("a", "es1"), copy("a", "es3")],
        {},
        {
          nodes: {
            es1: { is: "in" },
            es2: { is: "in" },
            es3: { is: "drained" },
            es4: { is: "out" },
          },
        },
      ),
      { feasible: true, lift_awareness: true },
    ],
    [
      "three copies and two nodes left",
      cluster(["es3", "es4"], [copy("a", "es1"), copy("a", "es2"), copy("a", "es4")]),
      { feasible: false },
      /a\[0\]: same_shard on es1, es2; 3 copies, 2 nodes left: add 1 node, or lower the replicas/,
    ],
    [
      "a disk that is too small",
      cluster(["es1"], [copy("a", "es1", { bytes: 412 * gib })], off),
      { feasible: false, bytes: 412 * gib },
      /needs 412 GiB; below the low watermark of 85%: es2 45 GiB, es3 45 GiB, es4 45 GiB; add 4 safe nodes, or free 277 GiB/,
    ],
    [
      "an absolute watermark",
      cluster(["es1"], [copy("a", "es1", { bytes: 35 * gib }), copy("a", "es2")], {
        settings: { "cluster.routing.allocation.disk.watermark.low": "30gb" },
      }),
      { feasible: false },
      /es3 30 GiB, es4 30 GiB/,
    ],
    [
      "the same disks without the check",
      cluster(["es1"], [copy("a", "es1", { bytes: 55 * gib }), copy("a", "es2")], {
        settings: { "cluster.routing.allocation.disk.threshold_enabled": "false" },
      }),
      { feasible: true },
    ],
    [
      "bytes that are already on their way to a target",
      cluster(
        ["es1"],
        [
          copy("a", "es1", { bytes: 30 * gib }),
          copy("a", "es2"),
          copy("b", "es2", { state: "RELOCATING", to: "es3", bytes: 20 * gib }),
          copy("c", "es2", { state: "RELOCATING", to: "es4", bytes: 20 * gib }),
        ],
      ),
      { feasible: false },
      /needs 30 GiB/,
    ],
    [
      "a copy that moves already",
      cluster(["es1"], [copy("a", "es1", { state: "RELOCATING", to: "es2" }), copy("a", "es3")]),
      { feasible: true },
    ],
    [
      "the only copy, and a spot node may take it",
      cluster(["es1"], [copy("a", "es1", { primary: true })]),
      { feasible: false },
      /a\[0\]: es3, es4 \(spot\) may get every copy; add a safe node or a replica, or accept it: accept\.a: <reason>/,
    ],
    [
      "the only copy of an accepted index",
      cluster(["es1"], [copy("a", "es1", { primary: true })], {}, { accept: ["a"] }),
      { feasible: true },
    ],
    [
      "the only copy, with the spot zone leaving too",
      cluster(["es1", "es3", "es4"], [copy("a", "es1", { primary: true })]),
      { feasible: true, lift_awareness: false },
    ],
    [
      "the last safe node",
      cluster(["es1", "es2"], [copy("a", "es1"), copy("a", "es3")]),
      { feasible: false },
      /a\[0\]: every copy would be in the spot zone/,
    ],
    [
      "two copies and no awareness: both may end on spot nodes",
      cluster(["es1"], [copy("a", "es1"), copy("a", "es3")], off),
      { feasible: false },
      /es3, es4 \(spot\) may get every copy/,
    ],
    [
      "a limit of shards on a node that several copies reach together",
      cluster(
        ["es1"],
        [copy("a", "es1"), copy("a", "es1", { shard: 1 }), copy("a", "es1", { shard: 2 })],
        {
          ...off,
          limits: { a: 1 },
        },
        { accept: ["a"], spot_zones: [] },
      ),
      { feasible: true },
    ],
    [
      "a limit of shards on a node that is too low",
      cluster(
        ["es1"],
        [0, 1, 2, 3].map((shard) => copy("a", "es1", { shard })),
        { ...off, limits: { a: 1 } },
        { accept: ["a"] },
      ),
      { feasible: false },
      /shards_limit on es2, es3, es4; raise index\.routing\.allocation\.total_shards_per_node, or add a node/,
    ],
    [
      "two nodes on one address",
      cluster(["es1"], [], {
        nodes: {
          es1: { name: "es1", ip: "192.0.2.1", attributes: {}, data: true },
          es2: { name: "es2", ip: "192.0.2.1", attributes: {}, data: true },
        },
      }),
      { feasible: false },
      /es1 shares 192\.0\.2\.1 with es2; give each node an address of its own/,
    ],
    ["a node that is not there", cluster(["es9"], [copy("a", "es1")]), { feasible: true, copies: 0 }],
  ];

  it("says feasible, or what blocks it with numbers and a cure", () => {
    const judged = judge(table.map(([, one]) => one));
    for (const [at, [title, , expected, text]] of table.entries()) {
      expect(judged[at], title).toMatchObject(expected);
      if (text) expect(judged[at]?.blockers.join("\n"), title).toMatch(text);
      if (expected.feasible === true) expect(judged[at]?.blockers, title).toEqual([]);
    }
  });

  it("takes NO of the allocator as no, and THROTTLE as yes", () => {
    const one = cluster(["es1"], [copy("a", "es1"), copy("a", "es3")]);
    const filter: [string, string, string] = [
      ...(["filter", "NO"] as const),
      'node does not match index setting [index.routing.allocation.require] filters [zone:"other"]',
    ];
    const snapshot: [string, string, string] = ["snapshot_in_progress", "THROTTLE", "waiting"];
    const with_ = (es2: [string, string, string]) => ({
      ...one,
      explained: { "a[0]@es1": { es2: [es2], es4: [filter] } },
    });
    const [no, throttled] = judge([with_(filter), with_(snapshot)]);
    expect(no?.feasible).toBe(false);
    expect(no?.blockers.join("")).toMatch(
      /filter on es2, es4.*; change index\.routing\.allocation\.require zone:"other" of the index/,
    );
    expect(throttled).toMatchObject({ feasible: true, lift_awareness: false });
  });

  it("never says feasible where no assignment exists, and finds one wherever disks do not matter", () => {
    let seed = 18;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return Math.floor((seed / 0x7fffffff) * below) % below;
    };
    const hosts = ["es1", "es2", "es3", "es4"];
    const cases = Array.from({ length: 400 }, () => {
      const indexes = ["a", "b", "c"].slice(0, 1 + random(3));
      const copies = indexes.flatMap((index) => {
        const on = hosts.filter(() => random(2) === 0);
        return (on.length > 0 ? on : ["es1"]).map((node) =>
          copy(index, node, { bytes: (1 + random(30)) * gib }),
        );
      });
      const names = hosts.filter(() => random(3) === 0);
      const tight = random(2) === 0;
      const one = cluster(names.length > 0 ? names : ["es4"], copies, {
        ...(random(2) === 0 ? off : {}),
        disks: Object.fromEntries(
          hosts.map((name) => [name, { total: 100 * gib, free: (tight ? 15 + random(50) : 99) * gib }]),
        ),
      });
      for (const { index, node } of copies) {
        const taken = copies.filter((other) => other.index === index).map((other) => other.node ?? "");
        one.explained[`${index}[0]@${node ?? ""}`] = Object.fromEntries(
          hosts
            .filter((name) => name !== node)
            .map((name) => {
              const found: [string, string, string][] = [];
              if (taken.includes(name)) found.push(["same_shard", "NO", "a copy is there"]);
              if (random(9) === 0) found.push(["filter", "NO", "index setting"]);
              return [name, found];
            }),
        );
      }
      return { one, tight };
    });
    const judged = judge(cases.map(({ one }) => one));
    let feasible = 0;
    for (const [at, { one, tight }] of cases.entries()) {
      const found = judged[at];
      if (found === undefined) throw new Error("a case has no judgement");
      const spread = Object.keys(one.seen.settings).length > 0 && !found.lift_awareness;
      const exists = canPlace(one, spread);
      if (found.feasible) {
        feasible += 1;
        expect(exists, JSON.stringify(one)).toBe(true);
      } else if (!tight && !found.blockers.some((text) => /spot zone|\(spot\)/.test(text))) {
        expect(canPlace(one, false), JSON.stringify([one, found])).toBe(false);
      }
    }
    expect(feasible).toBeGreaterThan(50);
    expect(feasible).toBeLessThan(350);
  });
});

/** Whether any assignment keeps all rules: tries them all. */
function canPlace({ names, seen, explained }: Case, spread: boolean): boolean {
  const stay = Object.keys(seen.nodes).filter((name) => !names.includes(name));
  const moving = seen.copies.filter(({ node }) => names.includes(node ?? ""));
  const room = new Map(stay.map((name) => [name, (seen.disks[name]?.free ?? 0) - 15 * gib]));
  const places = new Map<string, string[]>();
  for (const { index, node } of seen.copies)
    if (node !== null && stay.includes(node)) places.set(index, [...(places.get(index) ?? []), node]);
  const zone = (name: string) => seen.nodes[name]?.attributes["zone"];
  const isRight = (index: string) => {
    const on = places.get(index) ?? [];
    const count = seen.copies.filter((one) => one.index === index).length;
    if (!on.some((name) => zone(name) === "safe")) return false;
    return (
      !spread ||
      ["safe", "spot"].every((of) => {
        const there = on.filter((name) => zone(name) === of).length;
        const before = seen.copies.filter(
          (one) => one.index === index && stay.includes(one.node ?? "") && zone(one.node ?? "") === of,
        ).length;
        return there <= Math.max(Math.ceil(count / 2), before);
      })
    );
  };
  const tryFrom = (at: number): boolean => {
    const next = moving[at];
    if (next === undefined) return moving.every(({ index }) => isRight(index));
    const forbidden = explained[`${next.index}[0]@${next.node ?? ""}`] ?? {};
    return stay.some((name) => {
      const on = places.get(next.index) ?? [];
      const left = (room.get(name) ?? 0) - next.bytes;
      if (on.includes(name) || (forbidden[name] ?? []).length > 0 || left < 0) return false;
      places.set(next.index, [...on, name]);
      room.set(name, left);
      const found = tryFrom(at + 1);
      places.set(next.index, on);
      room.set(name, left + next.bytes);
      return found;
    });
  };
  return tryFrom(0);
}
