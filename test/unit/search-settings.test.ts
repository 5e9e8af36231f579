import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../config/places.ts";

const folder = join(root, "scripts", "search");
const model = join(root, "test", "support", "search_model.py");

const program = [
  "import json, sys",
  "sys.path.insert(0, sys.argv[1])",
  "sys.dont_write_bytecode = True",
  "import launch, leases, node_unit, shards, watch_leases",
  "for line in sys.stdin:",
  "    expression, given = json.loads(line)",
  "    print(json.dumps(eval(expression)), flush=True)",
].join("\n");

// One process for all questions: starting Python costs more than any of them.
let python: ChildProcessWithoutNullStreams;
let answers: AsyncIterator<string>;
beforeAll(() => {
  python = spawn("python3", ["-I", "-c", program, folder]);
  answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
});
afterAll(() => {
  python.kill();
});

/** The value of a Python expression over the modules of `scripts/search`; `given` is the JSON that it may use. */
async function said(expression: string, given: unknown = null): Promise<unknown> {
  python.stdin.write(`${JSON.stringify([expression, given])}\n`);
  const { value, done } = (await answers.next()) as IteratorResult<string, undefined>;
  if (done === true) throw new Error(`Python ended at: ${expression}`);
  return JSON.parse(value) as unknown;
}

const enable = "cluster.routing.allocation.enable";
const exclude = "cluster.routing.allocation.exclude._ip";
const key = "cluster.metadata.changeover.logs.allocation";
const take = async (scopes: object, values: object, lists: object, id = "one") =>
  (await said(
    `leases.taken(given["scopes"], "logs", "allocation", {"id": given["id"], "by": "t", "seconds": 45}, given["values"], given["lists"])`,
    { scopes, values, lists, id },
  )) as Record<string, Record<string, string | null>>;
const back = async (scopes: object, mark = false) =>
  (await said(`leases.given_back(given["scopes"], "logs", "allocation", mark=${mark ? "True" : "False"})`, {
    ...{ scopes },
  })) as [Record<string, Record<string, string | null>> | null, string[]];

describe("settings of a search cluster, changed for a while", () => {
  it("returns every scope as found, in any order of leases, and keeps entries of others [003-078]", () => {
    expect(execFileSync("python3", ["-I", model, folder, "fixed", "400"], { encoding: "utf8" })).toMatch(
      /800 runs/,
    );
  });

  it("counts an empty transient value, which hides a persistent one", async () => {
    const scopes = { transient: { [exclude]: "" }, persistent: { [exclude]: "10.0.0.1" }, file: {} };
    expect(await said(`leases.effective(given, leases.EXCLUDE)`, scopes)).toEqual(["", "transient"]);
    expect(await take(scopes, {}, { [exclude]: ["10.0.0.9"] })).toMatchObject({
      transient: { [exclude]: "10.0.0.9" },
      persistent: { [exclude]: "10.0.0.1,10.0.0.9" },
    });
  });

  it("takes the file of the elected manager where no other scope has the key", async () => {
    const scopes = { transient: {}, persistent: {}, file: { [exclude]: ["10.0.0.1", "10.0.0.2"] } };
    expect((await take(scopes, {}, { [exclude]: ["10.0.0.9"] }))["persistent"]).toMatchObject({
      [exclude]: "10.0.0.1,10.0.0.2,10.0.0.9",
    });
  });

  it("keeps what the first run found when it runs again", async () => {
    const first = await take({ transient: {}, persistent: {}, file: {} }, { [enable]: "primaries" }, {});
    const second = await take({ transient: {}, ...first, file: {} }, { [enable]: "primaries" }, {});
    const record = JSON.parse(second["persistent"]?.[key] ?? "") as { found: object; beat: number };
    expect(record.found).toEqual({ persistent: { [enable]: null }, transient: {} });
    expect(record.beat).toBeGreaterThan(
      (JSON.parse(first["persistent"]?.[key] ?? "") as { beat: number }).beat,
    );
    expect((await back({ transient: {}, ...second, file: {} }))[0]).toEqual({
      persistent: { [enable]: null, [key]: null },
    });
  });

  it("leaves a value that somebody else changed meanwhile, and says so", async () => {
    const first = await take({ transient: {}, persistent: {}, file: {} }, { [enable]: "primaries" }, {});
    const changed = { ...first["persistent"], [enable]: "none" };
    const [body, words] = await back({ transient: {}, persistent: changed, file: {} });
    expect(body).toEqual({ persistent: { [key]: null } });
    expect(words).toEqual([expect.stringContaining(`${enable} (persistent) is "none"`)]);
  });

  it("puts nothing back without a record, or with a text that is none", async () => {
    for (const text of [
      "",
      "id=1",
      "[]",
      '{"id":"one"}',
      '{"id":1,"seconds":1,"beat":1,"found":{},"set":{}}',
    ])
      expect(await back({ transient: {}, persistent: { [key]: text }, file: {} })).toEqual([null, []]);
  });

  it("marks a lapsed lease as expired in the same change", async () => {
    const first = await take(
      { transient: {}, persistent: {}, file: {} },
      { [enable]: "primaries" },
      {},
      "abc",
    );
    expect((await back({ transient: {}, ...first, file: {} }, true))[0]).toEqual({
      persistent: {
        [enable]: null,
        [key]: null,
        "cluster.metadata.changeover.logs.expired": "abc",
      },
    });
  });

  it("counts a lease as lapsed by its own clock alone, from when it saw the last beat", async () => {
    const record = { id: "one", beat: 7, seconds: 45 };
    const at = (seen: object, now: number) =>
      said(`watch_leases.lapsed(given["seen"], {"allocation": given["record"]}, given["now"])`, {
        ...{ seen, record, now },
      });
    const seen = { allocation: { id: "one", beat: 7, since: 100 } };
    expect(await at({}, 1e6)).toEqual([[], { allocation: { id: "one", beat: 7, since: 1e6 } }]);
    expect(await at(seen, 144.9)).toEqual([[], seen]);
    expect(await at(seen, 145)).toEqual([["allocation"], seen]);
    // Renewed; another run's; a look from before a reboot of this host.
    expect(await at({ allocation: { ...seen.allocation, beat: 6 } }, 500)).toMatchObject([[], {}]);
    expect(await at({ allocation: { ...seen.allocation, id: "two" } }, 500)).toMatchObject([[], {}]);
    expect(await at({ allocation: { ...seen.allocation, since: 9000 } }, 500)).toMatchObject([[], {}]);
  });
});

interface Copy {
  readonly state: string;
  readonly node: string | null;
  readonly relocating_node?: string;
}

const facts = {
  attribute: "zone",
  spot_zones: ["spot"],
  accept: ["scratch"],
  nodes: {
    es1: { zone: "safe", roles: ["data"], is: "in" },
    es2: { zone: "safe", roles: ["data"], is: "in" },
    es3: { zone: "spot", roles: ["data"], is: "in" },
  },
};

function state(indices: Readonly<Record<string, readonly Copy[]>>, replicas = "1"): object {
  const names = Object.keys(indices);
  return {
    nodes: { n1: { name: "es1" }, n2: { name: "es2" }, n3: { name: "es3" } },
    metadata: {
      indices: Object.fromEntries(
        names.map((name) => [name, { settings: { index: { number_of_replicas: replicas } } }]),
      ),
    },
    routing_table: {
      indices: Object.fromEntries(names.map((name) => [name, { shards: { 0: indices[name] } }])),
    },
  };
}

const cover = (given: object, name = "es1", safeOnly = false) =>
  said(
    `vars(shards.cover(given["state"], given["facts"], "${name}", safe_only=${safeOnly ? "True" : "False"}))`,
    { state: given, facts },
  );
const nothing = { waits: [], single: [], accepted: [], risky: [] };
const started = (node: string): Copy => ({ state: "STARTED", node });
const unassigned: Copy = { state: "UNASSIGNED", node: null };

describe("cover of shards", () => {
  it("counts another copy that serves: a started one, or the source of a move", async () => {
    expect(await cover(state({ a: [started("n1"), started("n2")] }))).toEqual(nothing);
    const source = { state: "RELOCATING", node: "n2", relocating_node: "n3" };
    expect(await cover(state({ a: [started("n1"), source] }))).toEqual(nothing);
  });

  it("waits for a replica that is missing, starts, or is on the same node", async () => {
    const waits = { ...nothing, waits: [["a", 0]] };
    expect(await cover(state({ a: [started("n1"), unassigned] }))).toEqual(waits);
    expect(await cover(state({ a: [started("n1"), { state: "INITIALIZING", node: "n2" }] }))).toEqual(waits);
    expect(await cover(state({ a: [started("n2"), unassigned] }))).toEqual(nothing);
  });

  it("waits for a shard that no node serves, wherever its copy is", async () => {
    expect(await cover(state({ a: [unassigned, unassigned] }))).toEqual({ ...nothing, waits: [["a", 0]] });
  });

  it("names an index without replicas, apart from those that are accepted", async () => {
    const single = state({ a: [started("n1")], scratch: [started("n1")], b: [started("n2")] }, "0");
    expect(await cover(single)).toEqual({ ...nothing, single: ["a"], accepted: ["scratch"] });
  });

  it("takes a copy in a spot zone with its risk said, and not at all when that zone was cleared", async () => {
    const given = state({ a: [started("n1"), started("n3")] });
    expect(await cover(given)).toEqual({ ...nothing, risky: [["a", 0]] });
    expect(await cover(given, "es1", true)).toEqual({ ...nothing, waits: [["a", 0]] });
    expect(await cover(given, "es3", true)).toEqual(nothing);
  });

  it("covers a node that is not in the cluster, as nothing is on it", async () => {
    expect(await cover(state({ a: [started("n1")] }, "0"), "es9")).toEqual(nothing);
  });
});

describe("votes", () => {
  const hold = (config: string[], alive: string[], without: string, excluded: string[] = []) =>
    said(`shards.Votes(given, "${without}").hold()`, {
      nodes: Object.fromEntries(alive.map((id) => [id, { name: id.replace("n", "es") }])),
      metadata: {
        cluster_coordination: {
          last_committed_config: config,
          voting_config_exclusions: excluded.map((id) => ({ node_id: id, node_name: id })),
        },
      },
    });

  it("needs more than half without the node, of those that were not excluded", async () => {
    expect(await hold(["n1", "n2", "n3"], ["n1", "n2", "n3"], "es1")).toBe(true);
    expect(await hold(["n1", "n2", "n3"], ["n1", "n2"], "es1")).toBe(false);
    expect(await hold(["n1", "n2"], ["n1", "n2"], "es1")).toBe(false);
    expect(await hold(["n1"], ["n1"], "es1")).toBe(false);
    expect(await hold(["n1", "n2", "n3"], ["n1", "n2", "n3", "n4"], "es4")).toBe(true);
    expect(await hold(["n1", "n2", "n3", "n4"], ["n2", "n3"], "es1", ["n4"])).toBe(true);
  });
});

describe("a copy that is nowhere", () => {
  const lasting = (can: string | null, ...nodes: [string, string][][]) =>
    said("shards.lasting(given)", {
      can_allocate: can,
      node_allocation_decisions: nodes.map((deciders) => ({
        deciders: deciders.map(([decider, decision]) => ({ decider, decision })),
      })),
    });

  it("stays so when each node has a reason that waiting does not cure", async () => {
    expect(
      await lasting(
        "no",
        [["same_shard", "NO"]],
        [
          ["node_version", "NO"],
          ["throttling", "THROTTLE"],
        ],
      ),
    ).toEqual([...["node_version", "same_shard"]]);
  });

  it("may still come when one node has none, or only one that ends by itself", async () => {
    expect(await lasting("no", [["same_shard", "NO"]], [["enable", "NO"]])).toBeNull();
    expect(await lasting("no", [["same_shard", "NO"]], [["max_retry", "NO"]])).toBeNull();
    expect(await lasting("no", [["same_shard", "NO"]], [["filter", "THROTTLE"]])).toBeNull();
    expect(await lasting("yes", [["same_shard", "NO"]])).toBeNull();
    expect(await lasting("allocation_delayed", [["same_shard", "NO"]])).toBeNull();
    expect(await lasting("no")).toBeNull();
  });
});

describe("the watch that hosts have", () => {
  it("is copied with every module that it imports", () => {
    const wanted = new Set<string>();
    const visit = (name: string): void => {
      if (wanted.has(name)) return;
      wanted.add(name);
      const text = readFileSync(join(folder, `${name}.py`), "utf8");
      for (const [, one = ""] of text.matchAll(/^(?:import|from) (\w+)/gm))
        if (existsSync(join(folder, `${one}.py`))) visit(one);
    };
    visit("watch_leases");
    const list = /^readonly parts=\((.+)\)$/m.exec(
      readFileSync(join(folder, "install-watch.sh"), "utf8"),
    )?.[1];
    expect(list?.split(" ")).toEqual([...wanted].sort());
  });
});

describe("the command of a node's start", () => {
  const words = [
    "/bin/echo",
    "-Xlog:a*,b:file=/l o.log",
    "-Xms1g",
    "-cp",
    "/opt/lib/*",
    "org.opensearch.bootstrap.OpenSearch",
  ];
  const run = async (variables: Record<string, string>, classes = "/nowhere/2.19.5.jsa"): Promise<string> => {
    const text = await said(`launch.text_of("bin/opensearch", given[0], "/", given[1])`, [classes, words]);
    return execFileSync("sh", ["-c", String(text), "launch", "-Ea=b c"], {
      env: variables,
      encoding: "utf8",
    }).trim();
  };

  it("is the start script's own, each word as it was, with further options behind its options", async () => {
    expect(await run({})).toBe(`${words.slice(1).join(" ")} -Ea=b c`);
    expect(await run({ SEARCH_JVM: "-Xms128m -Xmx128m" })).toBe(
      "-Xlog:a*,b:file=/l o.log -Xms1g -Xms128m -Xmx128m -cp /opt/lib/* org.opensearch.bootstrap.OpenSearch -Ea=b c",
    );
  });

  it("names an archive of classes only where one can be read, and none when told so", async () => {
    const archive = import.meta.filename;
    expect(await run({}, archive)).toContain(`-XX:SharedArchiveFile=${archive} -cp`);
    expect(await run({ SEARCH_CLASSES: "" }, archive)).not.toContain("SharedArchiveFile");
    expect(await run({ SEARCH_CLASSES: archive })).toContain(`-XX:SharedArchiveFile=${archive} -cp`);
  });
});
