import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CacheFacts,
  type CacheNodeWanted,
  decideCacheNode,
  decideCacheRing,
  type Look,
} from "../../components/cache/decide.ts";
import { cacheGoal, placeOf, ringHash, ringText } from "../../components/cache/goal.ts";
import { cacheLeaveTable, cacheNodeTable, cacheRingTable } from "../../components/cache/table.ts";
import {
  cacheDifferences,
  type CacheExpected,
  describeCache,
  looksOfCache,
} from "../../components/cache/verify.ts";
import { phasesOf } from "../../transition/table.ts";
import { parseConfig } from "../../config.ts";
import type { Cache } from "../../components/cache/config.ts";
import { goneFromCache } from "../../components/cache/leaving.ts";
import { pathText } from "../../config/problems.ts";
import { configProblems } from "../support/config-problems.ts";

const sessions = { nodes: { prodapp01: "in", prodapp02: "in" }, clients: ["prodapp01", "prodapp02"] };

const stack = (cache: object, more: object = {}) => ({
  platform: "local",
  hosts: { prodapp01: {}, prodapp02: {}, websvr: {} },
  caches: { sessions: { ...sessions, ...cache } },
  ...more,
});

const problems = (cache: object, more: object = {}) => configProblems(stack(cache, more));

describe("caches in a stack file", () => {
  it("name nodes and clients; all else has a default", () => {
    expect(parseConfig(stack({}), "Pulumi.test.yaml").caches.sessions).toEqual({
      ...sessions,
      port: 11211,
      memoryMiB: 64,
      connections: 1024,
      reloads: [],
      copySeconds: 120,
      settleSeconds: 2,
    });
  });

  it.each([
    [
      { nodes: { prodap01: "in" } },
      'nodes.prodap01: "prodap01" is not a host in this file; allowed: prodapp01, prodapp02, websvr; did you mean prodapp01?',
    ],
    [
      { nodes: { prodapp01: "on" } },
      'nodes.prodapp01: "on" is not allowed; allowed: in, out; did you mean in?',
    ],
    [
      { clients: ["prodapp01", "prodapp01"] },
      'clients[1]: "prodapp01" is changeover:caches.sessions.clients[0] already; a host is one client of sessions',
    ],
    [{ clients: [] }, "clients: missing; name the hosts that use the cache"],
    [
      { nodes: { prodapp01: "out", prodapp02: "out" } },
      "clients: have no node; set one node to `in`, or remove all clients",
    ],
    [{ port: 22 }, "port: 22 is taken by its sshd on prodapp01; name another"],
  ])("are refused with the cure: %j", (cache, line) => {
    expect(problems(cache)).toEqual([`changeover:caches.sessions.${line}`]);
  });

  it("may go with all nodes out and no client", () => {
    expect(problems({ nodes: { prodapp01: "out" }, clients: [] })).toEqual([]);
  });

  it("don't share a port on a node, a host with absent, or a name with a pair", () => {
    const other = { nodes: { prodapp02: "in" }, clients: ["websvr"] };
    const pair = {
      primary: "prodapp01",
      secondary: "prodapp02",
      production: "prodapp01",
      serviceAddress: ".46",
    };
    expect(problems({}, { caches: { sessions, pages: other } })).toEqual([
      "changeover:caches.pages.port: 11211 is taken by changeover:caches.sessions.port on prodapp02; name another",
    ]);
    expect(problems({}, { absent: ["prodapp02"] })[0]).toBe(
      'changeover:absent[0]: "prodapp02" is changeover:caches.sessions.nodes.prodapp02; name another host there, or remove the entry, in the same change',
    );
    expect(problems({}, { pairs: { sessions: pair } })).toEqual([
      'changeover:caches.sessions: "sessions" is changeover:pairs.sessions already; each needs its own name',
    ]);
    expect(problems({ port: 5480 }, { pairs: { sounz: pair } })[0]).toContain(
      "5480 is taken by changeover:pairs.sounz",
    );
  });
});

describe("what leaves a cache", () => {
  const operated = { port: 11211, nodes: { prodapp01: "in", prodapp02: "in" } };
  const said = (wanted: object | undefined, before: object = operated) =>
    goneFromCache("sessions", before as CacheExpected, wanted as Cache | undefined).map(
      ({ path, text }) => `${pathText(path)}: ${text}`,
    );

  it("is a node by way of out, whether it goes alone or with its cache", () => {
    const line = (host: string) =>
      `changeover:caches.sessions.nodes.${host}: missing, but this stack still runs memcached there; set it to \`out\` and update, then delete the line`;
    expect(said({ port: 11211, nodes: { prodapp01: "in" } })).toEqual([line("prodapp02")]);
    expect(said(undefined)).toEqual([line("prodapp01"), line("prodapp02")]);
    expect(said(undefined, { port: 11211, nodes: { prodapp01: "out" } })).toEqual([]);
  });

  it("is no port while clients use it", () => {
    expect(said({ ...operated, port: 11212 })).toEqual([
      "changeover:caches.sessions.port: 11212, but the clients use 11211 and would lose each node in turn; allowed: 11211, or a cache with another name",
    ]);
  });
});

describe("the ring", () => {
  it("is the same text for every order of the file [001-114]", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        (hosts, turn) => {
          const at = turn % hosts.length;
          const turned = [...hosts.slice(at), ...hosts.slice(0, at)];
          const goal = (names: readonly string[]) =>
            cacheGoal("sessions", {
              nodes: Object.fromEntries(names.map((name) => [name, "in" as const])),
              clients: names,
              port: 11211,
            });
          expect(goal(turned)).toEqual(goal(hosts));
        },
      ),
    );
  });

  it("has a place a line, as Dalli reads them, and a hash that the hosts compute too [001-115]", () => {
    const places = [placeOf("192.0.2.11", 11211), placeOf("192.0.2.12", 11211)];
    expect(ringText(places)).toBe("192.0.2.11:11211\n192.0.2.12:11211\n");
    expect(ringHash(places)).toBe(createHash("sha256").update(ringText(places)).digest("hex"));
  });

  it("moves no key but those of the node that goes [001-115]", () => {
    const program = `
import sys; sys.path.insert(0, "scripts/memcached"); sys.dont_write_bytecode = True
from ring import Ring
three, two = Ring(["a:1", "b:1", "c:1"]), Ring(["c:1", "a:1"])
keys = [b"session:%d" % n for n in range(20000)]
stay = [key for key in keys if three.owner(key) != "b:1"]
print(sum(three.owner(key) != two.owner(key) for key in stay), len(stay))
`;
    const root = join(import.meta.dirname, "..", "..");
    const [moved, stayed] = execFileSync("python3", ["-c", program], { cwd: root, encoding: "utf8" })
      .trim()
      .split(" ")
      .map(Number);
    expect(moved).toBe(0);
    expect(stayed).toBeGreaterThan(11_000);
    expect(stayed).toBeLessThan(16_000);
  });
});

describe("the run-book of a cache", () => {
  const order = (table: Parameters<typeof phasesOf>[0]) => phasesOf(table).map(([phase]) => phase);

  it("restarts a node only when it runs with other settings, and behind every client's look at the others", () => {
    const restart = cacheNodeTable.find(({ phase }) => phase === "restart");
    const others = cacheNodeTable.find(({ phase }) => phase === "others");
    expect([restart?.when?.([]), restart?.when?.(["configure"])]).toEqual([false, true]);
    expect([others?.on, others?.reads, others?.when?.(["configure"])]).toEqual(["clients", true, true]);
    expect(order(cacheNodeTable)).toEqual([
      ...["packages", "configure", "others", "away", "aside", "quiet", "restart"],
      ...["home", "back", "settle"],
    ]);
    // Nothing may stay aside, however the last run ended.
    for (const { phase, when } of cacheNodeTable) {
      const conditional = ["others", "away", "aside", "quiet", "restart"].includes(phase);
      expect(when?.([]) ?? true, phase).toBe(!conditional);
    }
  });

  it("gives the ring only when every client reaches every node of it, and checks it after [001-024]", () => {
    expect(order(cacheRingTable)).toEqual(["reach", "copy", "ring", "settle", "mark", "check"]);
    expect(order(cacheLeaveTable)).toEqual(["unused", "leave"]);
  });
});

const facts: CacheFacts = {
  host: "prodapp01",
  now_ms: 0,
  stack: "5ac4",
  claim: null,
  done: {},
  holder: null,
  epoch: 3,
  listens: ["192.0.2.11", "127.0.0.1"],
  in_the_way: [],
  items: 5,
  rules: "loaded",
  free_mib: 900,
  ring: "aaaa",
  ring_recorded: "aaaa",
};
const seen = (change: Partial<CacheFacts> = {}, host = "prodapp01"): Look => ({
  host,
  facts: { ...facts, host, ...change },
  skewMs: 0,
});

describe("preflight of a node", () => {
  const wanted: CacheNodeWanted = {
    component: "sessions-prodapp01",
    transition: "node",
    stack: "5ac4",
    state: "in",
    cache: "sessions",
    node: "prodapp01",
    address: "192.0.2.11",
    port: 11211,
    memoryMiB: 64,
  };
  const refused = (change: Partial<CacheFacts>, other: Partial<CacheNodeWanted> = {}) =>
    decideCacheNode([seen(change)], { ...wanted, ...other }).refusals;

  it("goes on with one that runs, and counts on", () => {
    expect(decideCacheNode([seen()], wanted)).toEqual({ refusals: [], notes: [], epoch: 4 });
  });

  it("refuses a node that listens on other addresses, and a port that another program has", () => {
    expect(refused({ listens: ["0.0.0.0"] })).toEqual([
      "prodapp01 listens on 0.0.0.0 port 11211 (allowed: 192.0.2.11 and 127.0.0.1); see: systemctl cat changeover-memcached-sessions",
    ]);
    expect(refused({ listens: [], in_the_way: ["memcached (memcached.service) on 0.0.0.0"] })).toEqual([
      "prodapp01 has memcached (memcached.service) on 0.0.0.0 at port 11211, which is not the server of this cache; disable it, or name another port",
    ]);
  });

  it("refuses one without the memory, but not one that has its server already, or goes", () => {
    expect(refused({ listens: [], free_mib: 10 })).toEqual([
      "prodapp01 has 10 MiB of memory free (needed: 64 MiB); lower memoryMiB, or free memory",
    ]);
    expect(refused({ free_mib: 10 })).toEqual([]);
    expect(refused({ listens: [], free_mib: 10, in_the_way: ["x"] }, { state: "out" })).toEqual([]);
  });
});

describe("preflight of a ring", () => {
  it("says which rings are there when they differ, and goes on to make them equal", () => {
    const wanted = { component: "sessions", transition: "ring", stack: "5ac4", sha256: "bbbb" };
    const two = [seen(), seen({ ring: null }, "prodapp02")];
    expect(decideCacheRing(two, wanted)).toEqual({
      refusals: [],
      notes: ["clients have different rings: prodapp01 has aaaa, prodapp02 has none"],
      epoch: 4,
    });
  });
});

describe("verify of a cache", () => {
  const expected: CacheExpected = {
    port: 11211,
    clients: ["prodapp01"],
    sha256: "aaaa",
    nodes: { prodapp01: "in" },
    places: { prodapp01: "192.0.2.11:11211" },
  };
  const lines = (component: string, change: Partial<CacheFacts>, nodes = expected.nodes) =>
    cacheDifferences(
      "sessions",
      { ...expected, nodes },
      {
        request: { host: "prodapp01", probe: "memcached/probe", words: [component] },
        look: seen(change),
      },
    );

  it("says nothing when all is as the state says", () => {
    expect(lines("sessions", {})).toEqual([]);
    expect(lines("sessions-prodapp01", {})).toEqual([]);
  });

  it("finds another ring, with the cure", () => {
    expect(lines("sessions", { ring: "cccc" })).toEqual([
      "prodapp01: has ring cccc (expected: aaaa); start again: npx pulumi up --replace '**::sessions-ring-id'",
    ]);
  });

  it("finds a dead node, a node that listens on other addresses, and a node that should be removed", () => {
    const cure = "start again: npx pulumi up --replace '**::sessions-prodapp01-node-id'";
    const node = (change: Partial<CacheFacts>, nodes = expected.nodes) =>
      lines("sessions-prodapp01", change, nodes);
    expect(node({ listens: [] })).toEqual([`prodapp01: does not run memcached for sessions; ${cure}`]);
    expect(node({ listens: ["*"] })).toEqual([
      `prodapp01: listens on * (allowed: 192.0.2.11 and 127.0.0.1); ${cure}`,
    ]);
    expect(node({ rules: "missing" })).toEqual([
      `prodapp01: accepts every host: its rules of nftables are not loaded; ${cure}`,
    ]);
    expect(node({ rules: "unwatched" })).toEqual([
      `prodapp01: accepts every host after the next flush of nftables: nothing loads its rules again; ${cure}`,
    ]);
    expect(node({}, { prodapp01: "out" })).toEqual([
      `prodapp01: still runs memcached for sessions (expected: removed); ${cure}`,
    ]);
  });
});

describe("the looks at a cache", () => {
  const expected: CacheExpected = {
    port: 11212,
    clients: ["prodapp01", "websvr"],
    sha256: "aaaa",
    nodes: { prodapp01: "in", prodapp02: "out" },
    places: { prodapp01: "192.0.2.11:11212" },
  };
  const looks = looksOfCache("sessions", expected);

  it("are one at each node, also an `out` one, and one at the ring of each client", () => {
    expect(looks.map(({ host, probe, words }) => [host, probe, ...words].join(" "))).toEqual([
      "prodapp01 memcached/probe sessions-prodapp01 sessions 11212 192.0.2.11",
      "prodapp02 memcached/probe sessions-prodapp02 sessions 11212",
      "prodapp01 memcached/probe sessions sessions 11212",
      "websvr memcached/probe sessions sessions 11212",
    ]);
  });

  it("find nothing to compare where a host gave no answer", () => {
    for (const request of looks) {
      const look = { host: request.host, failure: "no answer in 10 s" };
      expect(cacheDifferences("sessions", expected, { request, look })).toEqual([]);
      expect(describeCache("sessions", { request, look })).toBe("gave no answer");
    }
  });

  it("give the operator a line each", () => {
    const line = (component: string, change: Partial<CacheFacts> = {}) =>
      describeCache("sessions", {
        request: { host: "prodapp01", probe: "memcached/probe", words: [component] },
        look: seen(change),
      });
    expect(line("sessions-prodapp01")).toBe("a node, 5 entries");
    expect(line("sessions-prodapp01", { items: null })).toBe("a node, does not answer");
    expect(line("sessions-prodapp01", { listens: [], items: null })).toBe("memcached does not run");
    expect(line("sessions", { ring: "0123456789abcdef" })).toBe("ring 0123456789ab");
    expect(line("sessions", { ring: null })).toBe("ring none");
  });
});
