import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { type SearchCluster, searchEntry } from "../../components/search-cluster/config.ts";
import {
  compareVersions,
  decideForm,
  decideHosts,
  decideMember,
  decideRoll,
  type Look,
  type SearchFacts,
} from "../../components/search-cluster/decide.ts";
import { askerOf, bounceOrder } from "../../components/search-cluster/goal.ts";
import { goneFromSearch } from "../../components/search-cluster/leaving.ts";
import { searchSample } from "../../components/search-cluster/sample.ts";
import { rollTable } from "../../components/search-cluster/table.ts";
import {
  describeSearch,
  looksOfSearch,
  searchDifferences,
  type SearchExpected,
} from "../../components/search-cluster/verify.ts";
import { root } from "../../config/places.ts";
import { pathText } from "../../config/problems.ts";
import { configProblems } from "../support/config-problems.ts";

const version = { archive: "releases/opensearch.tar.gz", sha256: "0".repeat(64) };

/** The seed's cluster: two safe nodes, two that may vanish, and a coordinator on the frontend. */
const catalogue = {
  engine: "opensearch",
  version: "2.19.5",
  versions: { "2.18.0": version, "2.19.5": version },
  nodes: {
    es1: { roles: ["data", "manager"] },
    es2: { roles: ["data", "manager"] },
    es3: { zone: "spot" },
    es4: { zone: "spot" },
    frontend: { roles: ["manager"] },
  },
  coordinator: "frontend",
};

const problems = (change: object, more: object = {}) =>
  configProblems({
    platform: "local",
    hosts: Object.fromEntries([...Object.keys(catalogue.nodes), "es5"].map((host) => [host, {}])),
    searchClusters: { catalogue: { ...catalogue, ...change } },
    ...more,
  });

const cluster = (change: object = {}): SearchCluster => searchEntry.parse({ ...catalogue, ...change });
const nodes = (change: object): object => ({ nodes: { ...catalogue.nodes, ...change } });

describe("a search cluster in a stack file", () => {
  it("is accepted as the seed has it [003-062] [003-063] [003-125]", () => {
    expect(problems({})).toEqual([]);
  });

  it.each([
    [
      "one manager without a reason [003-126]",
      nodes({ es1: {}, es2: {} }),
      "nodes: 1 of the nodes can be the manager, so the cluster stands still while one is away; allowed: 3, or a reason in singleManager",
    ],
    [
      "an even number of managers",
      nodes({ es3: { zone: "spot", roles: ["data", "manager"] } }),
      "nodes: 4 managers have no more votes to lose than 3; allowed: an odd number",
    ],
    [
      "data in the spot zone only [003-114]",
      nodes({ es1: { roles: ["manager"] }, es2: { roles: ["manager"] } }),
      "nodes: no node with data is `in` outside of the spot zones, so all data may vanish at once; allowed: at least one",
    ],
    [
      "a coordinator that is out",
      { coordinator: "es9" },
      'coordinator: "es9" is no node of this cluster that runs; allowed: es1, es2, es3, es4, frontend; did you mean es1?',
    ],
    [
      "a version that is not there",
      { version: "2.19.4" },
      'version: "2.19.4" is none of `versions`; allowed: 2.18.0, 2.19.5; did you mean 2.19.5?',
    ],
    [
      "a version that nobody has tried with the program [003-127]",
      { version: "3.0.0", versions: { "3.0.0": version } },
      'version: "3.0.0" of opensearch was never run with this program; allowed: 2.x',
    ],
    [
      "allocation in the file, where it counts on one manager alone",
      { settings: { "cluster.routing.allocation.enable": "none" } },
      'settings["cluster.routing.allocation.enable"]: "cluster.routing.allocation.enable" is not allowed as a name; the program sets allocation itself, for the time of a step, and puts back what it found',
    ],
    [
      "what would form a second cluster",
      { settings: { "cluster.initial_cluster_manager_nodes": "es1" } },
      'settings["cluster.initial_cluster_manager_nodes"]: "cluster.initial_cluster_manager_nodes" is not allowed as a name; the program forms the cluster, once',
    ],
  ])("refuses %s", (_, change, text) => {
    expect(problems(change)).toEqual([`changeover:searchClusters.catalogue.${text}`]);
  });

  it.each([
    ...["http.bind_host", "http.tcp.keep_alive", "transport.profiles.x.port", "transport.tcp.port"],
    ...["network.host", "path.data", "node.roles", "discovery.type", "index.allocation.total"],
  ])(
    "refuses %s, which would open a port or take the node elsewhere, in the file and on the host",
    (setting) => {
      expect(problems({ settings: { [setting]: "1" } }).join()).toContain(
        "is not allowed as a name; the program",
      );
      const words = ["catalogue", "/nowhere", `set.${setting}=1`];
      const { status } = spawnSync("python3", ["-I", "scripts/search/configure_node.py", ...words], {
        cwd: root,
      });
      expect(status).toBe(77);
    },
  );

  it("refuses a node whose line is dropped while it runs, another engine and another port", () => {
    const before = {
      engine: "opensearch",
      version: "2.19.5",
      port: 9200,
      nodes: {
        es1: { is: "in", zone: "safe", roles: ["data"] },
        es9: { is: "out", zone: "safe", roles: [] },
      },
      drains: {},
    } as const;
    const { es1: _, ...others } = catalogue.nodes;
    const now = cluster({ nodes: others, engine: "elasticsearch", port: 9201 });
    const problems = goneFromSearch("catalogue", before, now).filter((one) => "path" in one);
    expect(problems.map(({ path }) => pathText(path))).toEqual([
      "changeover:searchClusters.catalogue.nodes.es1",
      "changeover:searchClusters.catalogue.engine",
      "changeover:searchClusters.catalogue.port",
    ]);
    expect(goneFromSearch("catalogue", before, undefined)).toEqual([
      { host: "es1", by: "absent", mustBeSeen: true },
    ]);
  });
});

describe("the order of a roll", () => {
  it("has nodes of the spot zone first and managers last [003-074]", () => {
    expect(bounceOrder(cluster())).toEqual(["es3", "es4", "es1", "es2", "frontend"]);
  });

  it("leaves out nodes that are out", () => {
    const now = cluster(nodes({ es4: { zone: "spot", is: "out" } }));
    expect(bounceOrder(now)).toEqual(["es3", "es1", "es2", "frontend"]);
  });

  it("asks the coordinator, or another node that runs [003-060]", () => {
    expect(askerOf(cluster())).toBe("frontend");
    expect(askerOf(cluster(), "frontend")).toBe("es1");
    expect(askerOf(cluster(), undefined, (host) => ["frontend", "es1"].includes(host))).toBe("es2");
  });

  const table = (change: object) =>
    rollTable({
      ...{ cluster: "catalogue", stop: 60, start: 120, cover: 1800 },
      ...{ order: ["es3", "es4", "es1"], spot: ["es3", "es4"], clears: true, upgrades: false, ...change },
    });

  it("clears the spot zone before the first restart, and returns after the last [003-064] [003-066] [003-072] [003-075] [003-111]", () => {
    expect(table({}).map(({ phase }) => phase)).toEqual([
      "try",
      "clear-spot",
      "bounce-spot",
      "bounce-spot",
      "bounce-es1",
      "return-spot",
      "check",
    ]);
  });

  it("has a point of no return with another version only: the first node that restarts", () => {
    expect(table({}).filter(({ pointOfNoReturn }) => pointOfNoReturn)).toEqual([]);
    expect(
      table({ upgrades: true }).flatMap(({ phase, pointOfNoReturn }) => (pointOfNoReturn ? [phase] : [])),
    ).toEqual(["bounce-spot"]);
  });
});

const right = searchSample.facts["search/probe"]?.right as object;
const records = {
  now_ms: 0,
  stack: null,
  claim: null,
  done: {},
  holder: null,
  epoch: 0,
};
const facts = (change: Partial<SearchFacts> = {}): SearchFacts =>
  ({ ...records, ...right, ...change }) as SearchFacts;
const voters = ["es1", "es2", "frontend"];
const look = (host: string, change: Partial<SearchFacts> = {}): Look => ({
  host,
  facts: facts({ host, voters, voters_alive: voters, health: healthy(3), ...change }),
});
const healthy = (count: number, status = "green") => ({
  status,
  nodes: count,
  relocating: 0,
  unassigned: 0,
  delayed: 0,
});
const wanted = { component: "catalogue", transition: "roll", stack: "s", cluster: "catalogue" };
const goal = {
  ...wanted,
  engine: "opensearch",
  version: "2.19.5",
  nodes: voters,
  accepted: [],
  singleManager: false,
};

describe("the look before a roll", () => {
  const refusals = (looks: readonly Look[], change: object = {}) =>
    decideRoll(looks, { ...goal, ...change }).refusals;
  const all = (change: Partial<SearchFacts> = {}) => voters.map((host) => look(host, change));

  it("lets a green cluster restart", () => {
    expect(refusals(all())).toEqual([]);
  });

  it.each([
    [
      "a node that sees no manager",
      all({ node: { version: "2.19.5", uuid: "abc", manager: null } }),
      'es1 sees no manager; see docs/runbook.md, "a search node sees no manager"',
    ],
    [
      "data of a newer version",
      all({ node: { version: "2.20.0", uuid: "abc", manager: "es1" } }),
      "es1 runs 2.20.0, and no node goes back to 2.19.5: its data is of the newer version; allowed: 2.20.0 or newer, or a snapshot that is restored in another cluster",
    ],
    [
      "a lost majority",
      all({ voters_alive: ["es1", "es2"] }),
      "es1 is one of 3 voters, of which 1 would be left (needed: more than half); start frontend first",
    ],
    [
      "an index without a replica [003-083]",
      all({ without_replica: ["pages", ".tasks"] }),
      "indexes without a replica would be red while their node restarts: pages; give them a replica, or name them in `accept` with a reason",
    ],
    [
      "a snapshot that runs",
      all({ snapshots: ["nightly"] }),
      "nightly runs; wait for its end, then run again",
    ],
    [
      "a red cluster",
      all({ health: healthy(3, "red") }),
      'the cluster is red: a primary is missing; see docs/runbook.md, "the search cluster is red"',
    ],
    [
      "a node that is missing",
      all({ health: healthy(2) }),
      "the cluster has 2 nodes (expected: 3); start the missing ones first",
    ],
  ])("refuses %s", (_, looks, text) => {
    expect(refusals(looks)).toContain(text);
  });

  it("lets what was accepted be red, and says which indexes refuse writes", () => {
    expect(refusals(all({ without_replica: ["pages"] }), { accepted: ["pages"] })).toEqual([]);
    expect(decideRoll(all({ blocked: ["pages"] }), goal).notes).toEqual([
      "indexes that refuse writes now: pages",
    ]);
  });

  it("lets a roll that stopped half-way go on, also with its node down", () => {
    const open = { claim: { id: "1", epoch: "1", transition: "roll" }, done: {} };
    const looks = [look("es1", { ...open, node: null, active: false, health: null }), look("es2", open)];
    expect(refusals(looks)).toEqual([]);
  });

  it("skips no major version", () => {
    const old = all({ node: { version: "5.6.0", uuid: "abc", manager: "es1" } });
    expect(refusals(old, { version: "7.17.28" })).toContain(
      "es1 runs 5.6.0, and can't skip a major version to 7.17.28; upgrade to the last version between first",
    );
    expect([compareVersions("2.9.0", "2.19.5") < 0, compareVersions("2.19.5", "2.19.5")]).toEqual([true, 0]);
  });
});

describe("the looks before other goals", () => {
  it("refuse another program at the ports, and a heap that does not fit", () => {
    const looks = [look("es1", { in_the_way: ["java (solr.service) on 0.0.0.0:9200"] })];
    expect(decideHosts(looks, { ...wanted, heapMiB: { es1: 256 } }).refusals).toEqual([
      "es1 has java (solr.service) on 0.0.0.0:9200, which is no node of this cluster; stop it, or name other ports",
    ]);
    const small = [look("es1", { active: false, memory_mib: 300 })];
    expect(decideHosts(small, { ...wanted, heapMiB: { es1: 256 } }).refusals).toEqual([
      "es1 has 300 MiB of memory free (needed: 333 MiB for a heap of 256 MiB); lower heapMiB, or free memory",
    ]);
  });

  it("refuse to form one cluster of two", () => {
    const looks = [look("es1", { formed: "abc" }), look("es2", { formed: "xyz" })];
    expect(decideForm(looks, { ...wanted, managers: ["es1", "es2"] }).refusals).toEqual([
      'the hosts belong to 2 clusters: es1 of abc; es2 of xyz; they can\'t become one; see docs/runbook.md, "two search clusters"',
    ]);
  });

  it("refuse that a voter leaves whom the others need", () => {
    const looks = [look("es1", { voters_alive: ["es1", "es2"] })];
    const leaving = { ...wanted, node: "es1", state: "out" as const, singleManager: false };
    expect(decideMember(looks, leaving).refusals).toEqual([
      "es1 is one of 3 voters, of which 1 would be left (needed: more than half); start frontend first",
    ]);
    expect(decideMember([look("es1")], leaving).refusals).toEqual([]);
  });
});

describe("what verify and look say", () => {
  const expected: SearchExpected = {
    engine: "opensearch",
    version: "2.19.5",
    port: 9200,
    nodes: Object.fromEntries(
      voters.map((host) => [host, { is: "in" as const, zone: "safe", roles: ["data", "manager"] }]),
    ),
    drains: {},
  };
  const said = (change: Partial<SearchFacts>, now: SearchExpected = expected) => {
    const seen = looksOfSearch("catalogue", now).map((request) => ({
      request,
      look: look(request.host, request.host === "es1" ? change : {}),
    }));
    return searchDifferences("catalogue", now, seen);
  };

  it("nothing of a cluster that is as the state has it", () => {
    expect(said({})).toEqual([]);
  });

  it.each([
    [
      "a node that does not run",
      { active: false },
      /^es1: runs no node of catalogue; start it: systemctl start/,
    ],
    [
      "another version",
      { node: { version: "2.18.0", uuid: "abc", manager: "es1" } },
      /^es1: runs 2.18.0 \(expected: 2.19.5\); start again/,
    ],
    [
      "another configuration",
      { running: "aaaaaaaaaaaa" },
      /^es1: runs with configuration aaaaaaaaaaaa \(expected: 0123456789ab\)/,
    ],
    ["open ports", { rules: "missing" as const }, /^es1: lets every host reach ports of catalogue;/],
    [
      "allocation that somebody left off",
      { allocation: "none" },
      /^catalogue: places only none \(expected: all\)/,
    ],
    ["blocked indexes", { blocked: ["pages"] }, /^catalogue: pages refuse\(s\) writes/],
    [
      "two managers",
      { node: { version: "2.19.5", uuid: "abc", manager: "es2" } },
      /^catalogue: its nodes see 2 managers: es2, es1/,
    ],
    [
      "two clusters",
      { node: { version: "2.19.5", uuid: "xyz", manager: "es1" } },
      /^catalogue: its nodes belong to 2 clusters/,
    ],
  ])("%s", (_, change, line) => {
    expect(said(change)).toEqual([expect.stringMatching(line)]);
  });

  it("nothing of allocation while a step holds it, but whose it is in look", () => {
    const held = { allocation: "primaries", leases: { allocation: "bounce-es1" } };
    expect(said(held)).toEqual([]);
    const [request] = looksOfSearch("catalogue", expected);
    expect(request && describeSearch("catalogue", { request, look: look("es1", held) })).toBe(
      "a node of catalogue, 2.19.5, manager es1, green, 3 nodes, 3 shards, allocation changed by bounce-es1",
    );
  });

  it("shards on a drained node, and a node that should be stopped [003-113]", () => {
    const state = (is: "drained" | "out"): SearchExpected => ({
      ...expected,
      nodes: { ...expected.nodes, es1: { is, zone: "safe", roles: ["data"] } },
    });
    expect(said({}, state("drained"))[0]).toMatch(/^es1: holds 3 shards \(expected: 0, it is drained\)/);
    expect(said({}, state("out"))[0]).toMatch(/^es1: still runs a node of catalogue \(expected: stopped\)/);
  });
});
