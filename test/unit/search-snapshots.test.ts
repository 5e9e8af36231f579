import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decideRoll, type Look, type SearchFacts } from "../../components/search-cluster/decide.ts";
import { goneFromSearch } from "../../components/search-cluster/leaving.ts";
import { searchEntry } from "../../components/search-cluster/config.ts";
import { searchSample } from "../../components/search-cluster/sample.ts";
import { decideSnapshot } from "../../components/search-cluster/snapshots/decide.ts";
import { rowsBeforeRoll, snapshotTable } from "../../components/search-cluster/snapshots/table.ts";
import { newestWords, snapshotDifferences } from "../../components/search-cluster/snapshots/verify.ts";
import { root } from "../../config/places.ts";
import { configProblems } from "../support/config-problems.ts";
import { declaredFor } from "../support/declared.ts";

const scripts = join(root, "scripts", "search");
const entry = { ...searchSample.entry, snapshots: { location: "/srv/snapshots" } };
const file = (snapshots?: object, more: object = {}) => ({
  platform: "local",
  hosts: { es1: {}, es2: {} },
  searchClusters: { catalogue: { ...searchSample.entry, ...(snapshots ? { snapshots } : {}) }, ...more },
});
const here = { location: "/srv/snapshots" };

/** The JSON that a Python expression over the modules of `scripts/search` has as its value. */
const said = (modules: string, expression: string, given: unknown = null): unknown =>
  JSON.parse(
    execFileSync(
      "python3",
      [
        "-I",
        "-c",
        `import json, sys\nsys.path.insert(0, sys.argv[1])\nsys.dont_write_bytecode = True\nimport ${modules}\ngiven = json.loads(sys.argv[2])\nprint(json.dumps(${expression}))`,
        scripts,
        JSON.stringify(given),
      ],
      { encoding: "utf8" },
    ),
  ) as unknown;

describe("snapshots in a stack file", () => {
  it.each([
    [
      "in the folder of the data",
      { location: "/var/lib/catalogue/snapshots" },
      /shares a path with \/var\/lib\/catalogue of the nodes, whose loss it is for/,
    ],
    ["in a folder of the machine", { location: "/tmp/snapshots" }, /location: .*allowed: an absolute path/],
    ["with another kind of roll", { ...here, before: ["bounce"] }, /before\.0|before\[0\]/],
    ["that keep none", { ...here, keep: 0 }, /keep: 0 .*1 to 1000/],
  ])("are refused %s", (_, snapshots, words) => {
    expect(configProblems(file(snapshots)).join("\n")).toMatch(words);
  });

  it("are accepted, and refused in the folder of another cluster", () => {
    expect(configProblems(file(here))).toEqual([]);
    const other = {
      ...searchSample.entry,
      nodes: { es2: { roles: ["data", "manager"] } },
      snapshots: { location: "/srv/snapshots/logs" },
    };
    expect(configProblems(file(here, { logs: other })).join("\n")).toContain(
      "snapshots.location: shares a path with the snapshots of logs; two clusters that write to one repository destroy it",
    );
  });

  it("come a whole update before the version that needs one", () => {
    const before = { engine: "opensearch", version: "2.18.0", port: 9200, nodes: {}, drains: {} };
    const texts = (change: object, snapshots?: { location: string; maxAgeMinutes: number }) =>
      goneFromSearch(
        "catalogue",
        { ...before, ...(snapshots ? { snapshots } : {}) },
        searchEntry.parse({ ...entry, ...change }),
      ).map((one) => ("text" in one ? one.text : one));
    expect(texts({})).toEqual([
      "2.19.5, but the snapshot before it can't be taken yet: nodes learn of snapshots.location by a restart; allowed: 2.18.0 in this update and 2.19.5 in the next one, or snapshots.before without version",
    ]);
    expect(texts({}, { location: "/srv/snapshots", maxAgeMinutes: 60 })).toEqual([]);
    expect(texts({ snapshots: { ...here, before: [] } })).toEqual([]);
    expect(texts({ version: "2.18.0" })).toEqual([]);
  });

  const idsOf = async (config: Record<string, unknown>): Promise<Record<string, unknown>> =>
    Object.fromEntries(
      (await declaredFor(config))
        .filter(
          ({ name, type }) => type === "random:index/randomId:RandomId" && name.startsWith("catalogue-"),
        )
        .map(({ name, inputs }) => [name, inputs.keepers]),
    );

  it("restart the nodes of a cluster once and are a goal of their own; limits and another reason restart nothing", async () => {
    const none = await idsOf(file());
    const first = await idsOf(file(here));
    const limits = await idsOf(
      file({ ...here, keep: 3, maxAgeMinutes: 5, trial: false, before: ["settings"] }),
    );
    const again = await idsOf(file({ ...here, now: "before the import" }));
    const changed = (one: Record<string, unknown>, other: Record<string, unknown>) =>
      Object.keys({ ...one, ...other })
        .filter((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]))
        .sort();
    expect(changed(none, first)).toEqual(["catalogue-host-id", "catalogue-roll-id", "catalogue-snapshot-id"]);
    expect(changed(first, limits)).toEqual([]);
    expect(changed(first, again)).toEqual(["catalogue-snapshot-id"]);
    expect(JSON.stringify(none)).not.toContain("repo");
  });
});

describe("the rows of snapshots", () => {
  const args = { keep: 14, maxAgeMinutes: 60, before: ["version" as const], trial: true };
  const phases = (table: readonly { phase: string }[]) => table.map(({ phase }) => phase);

  it("are four of their own, and stand before anything of a roll stops", () => {
    expect(phases(snapshotTable("catalogue", args))).toEqual(["repository", "snapshot", "rehearse", "clean"]);
    expect(phases(snapshotTable("catalogue", { ...args, trial: false }))).toEqual([
      "repository",
      "snapshot",
      "clean",
    ]);
    expect(phases(rowsBeforeRoll("catalogue", args))).toEqual(["snapshot", "rehearse"]);
    expect(phases(rowsBeforeRoll("catalogue", { ...args, before: ["settings"] }))).toEqual(["snapshot"]);
    expect(rowsBeforeRoll("catalogue", { ...args, before: [] })).toEqual([]);
    expect(rowsBeforeRoll("catalogue", undefined)).toEqual([]);
  });
});

const facts = (change: Partial<SearchFacts>): SearchFacts =>
  ({
    ...{ now_ms: 0, stack: null, claim: null, done: {}, holder: null, epoch: 0 },
    ...(searchSample.facts["search/probe"]?.right as object),
    ...change,
  }) as SearchFacts;

describe("what is said of snapshots", () => {
  const expected = { location: "/srv/snapshots", maxAgeMinutes: 60 };
  const newest = (age: number | null, name: string | null = "changeover-catalogue-20261201-000000") => ({
    name,
    age,
    why: null,
  });
  const differences = (found: SearchFacts["newest"], maxAgeMinutes = 60) =>
    snapshotDifferences("catalogue", found, { ...expected, maxAgeMinutes }).join();

  it("is the age as information, and a difference when it is older than a day and the limit", () => {
    expect(newestWords(newest(3 * 3600), expected)).toEqual(["newest snapshot 3 h old (limit: 60 min)"]);
    expect(newestWords({ ...newest(60), rebuild: 13 }, expected)).toEqual([
      "newest snapshot 1 min old (limit: 60 min)",
      "a rebuild takes about 13 s (rehearsed)",
    ]);
    expect(newestWords(newest(null), expected)).toEqual([
      "newest snapshot changeover-catalogue-20261201-000000, from the future",
    ]);
    expect(newestWords(newest(5), undefined)).toEqual([]);
    expect(differences(newest(23 * 3600))).toBe("");
    expect(differences(newest(25 * 3600))).toContain(
      "catalogue: its newest good snapshot is 25 h old (limit: 24 h); take one: ",
    );
    expect(differences(newest(25 * 3600), 7 * 24 * 60)).toBe("");
    expect(differences(newest(null, null))).toContain("has no good snapshot (expected: one)");
    expect(differences({ name: null, age: null, why: "missing (HTTP 404)" })).toContain(
      "its snapshots can't be seen: missing",
    );
  });

  it("lets a roll go on with the snapshot that it began, and refuses one of others", () => {
    const goal = {
      ...{
        component: "catalogue",
        transition: "roll",
        stack: "s",
        cluster: "catalogue",
        engine: "opensearch",
      },
      ...{ version: "2.19.5", nodes: ["es1"], accepted: [], singleManager: true },
    };
    const open = { claim: { id: "1", epoch: "1", transition: "roll" }, done: {} };
    const refusals = (change: Partial<SearchFacts>) =>
      decideRoll([{ host: "es1", facts: facts({ voters: ["es1"], ...change }) } satisfies Look], goal)
        .refusals;
    const own = "snapshot changeover-catalogue-20261201-000000";
    expect(refusals({ ...open, snapshots: [own] })).toEqual([]);
    expect(refusals({ snapshots: [own] })).toEqual([`${own} runs; wait for its end, then run again`]);
    expect(refusals({ ...open, snapshots: ["snapshot nightly"] })).toHaveLength(1);
    expect(refusals({ without_replica: ["changeover-rehearsal-catalogue-pages"] })).toEqual([]);
  });

  it("refuses a snapshot of a red cluster, and of a node that sees no manager", () => {
    const wanted = { component: "catalogue", transition: "snapshot", stack: "s" };
    const refusals = (change: Partial<SearchFacts>) =>
      decideSnapshot([{ host: "es1", facts: facts(change) }], wanted).refusals;
    expect(refusals({})).toEqual([]);
    expect(refusals({ node: null })).toEqual([
      'es1 gives no answer as a node; see docs/runbook.md, "a search node sees no manager"',
    ]);
    expect(
      refusals({ health: { status: "red", nodes: 1, relocating: 0, unassigned: 1, delayed: 0 } }),
    ).toEqual([
      'es1 sees a red cluster, and a snapshot would lack an index; see docs/runbook.md, "the search cluster is red"',
    ]);
  });
});

describe("the scripts of snapshots", () => {
  it("know their own snapshots by name, and how old they are by that alone", () => {
    const list = [
      { snapshot: "changeover-logs-20261201-000000", state: "SUCCESS" },
      { snapshot: "changeover-logs-20261201-000500", state: "PARTIAL" },
      { snapshot: "changeover-logs-mine", state: "SUCCESS" },
      { snapshot: "changeover-other-20261201-001000", state: "SUCCESS" },
      { snapshot: "nightly", state: "SUCCESS" },
    ];
    const cluster = 'type("C", (), {"name": "logs"})()';
    expect(said("snapshots", `snapshots.newest(${cluster}, {"snapshots": given})["name"]`, list)).toBe(
      "changeover-logs-20261201-000000",
    );
    expect(said("snapshots", `snapshots.newest(${cluster}, {"snapshots": []})`)).toBeNull();
    const at = "calendar.timegm((2026, 12, 1, 0, 10, 0))";
    expect(
      said(
        "calendar, snapshots",
        `[snapshots.age(${cluster}, given, ${at}), snapshots.age(${cluster}, given, ${at} - 1200)]`,
        "changeover-logs-20261201-000000",
      ),
    ).toEqual([600, null]);
  });

  it("keep the newest good ones, whatever came after them", () => {
    const list = (...states: string[]) => states.map((state, n) => ({ snapshot: `s${String(n)}`, state }));
    const surplus = (keep: number, ...states: string[]) =>
      said("clean_snapshots", `clean_snapshots.surplus(given[1], given[0])`, [keep, list(...states)]);
    expect(surplus(1, "PARTIAL", "IN_PROGRESS", "SUCCESS", "FAILED", "SUCCESS")).toEqual(["s3", "s4"]);
    expect(surplus(2, "PARTIAL", "FAILED")).toEqual([]);
    expect(surplus(2, "SUCCESS", "SUCCESS", "SUCCESS")).toEqual(["s2"]);
  });

  it("count a copy as right only between its bounds", () => {
    const outside = (copy: number[], first: number[] | null, last: number[] | null) =>
      said("counts", `counts.outside("a", *[one and {"docs": one[0], "ops": one[1]} for one in given])`, [
        copy,
        first,
        last,
      ]);
    expect(outside([5, 5], [5, 5], [5, 5])).toBe("");
    expect(outside([4, 6], [5, 5], [9, 20])).toBe("");
    expect(outside([5, 5], null, null)).toBe("");
    expect(outside([4, 5], [5, 5], null)).toBe(
      "a: the copy has 4 documents (allowed: 5, by the count before the snapshot)",
    );
    expect(outside([2, 7], [5, 5], null)).toBe(
      "a: the copy has 2 documents (allowed: 3 to 7, by the count before the snapshot)",
    );
    expect(outside([5, 4], [5, 5], null)).toBe(
      "a: the copy has 4 operations, and 5 were counted before the snapshot",
    );
    expect(outside([5, 9], [5, 5], [5, 8])).toBe("a: the copy has 9 operations, and 8 were counted after it");
  });

  it("compare a document only with the same write, and find one that is another [003-124]", () => {
    const unlike = (live: object, moved: number | null) =>
      said(
        "counts",
        `counts.unlike(type("C", (), {"ask": lambda *_, **__: {"docs": [given[0]]}})(), "a", [{"_id": "1", "_seq_no": 3, "_primary_term": 1, "_source": {"n": 1}}], given[1])`,
        [live, moved],
      );
    const live = { found: true, _seq_no: 3, _primary_term: 1, _source: { n: 1 } };
    expect(unlike(live, 0)).toEqual([1, ""]);
    expect(unlike({ ...live, _source: { n: 2 } }, 5)).toEqual([
      0,
      "a: document 1 is not the same in the copy, though nobody has written it since",
    ]);
    expect(unlike({ ...live, _seq_no: 4, _source: { n: 2 } }, 1)).toEqual([0, ""]);
    expect(unlike({ found: false }, 0)).toEqual([
      0,
      "a: 1 of the copy are other documents in the index, after 0 operations since",
    ]);
  });

  it("restore in lots that fit below the watermarks, and name the index that fits nowhere", () => {
    const batches = (sizes: object, room: object) =>
      said("rehearse", "rehearse.batches(*given)", [sizes, room]);
    expect(batches({ a: [5, 5], b: [3], c: [4] }, { es1: 8, es2: 6 })).toEqual([[["a", "b"], ["c"]], null]);
    expect(batches({ a: [2], big: [9] }, { es1: 8, es2: 8 })).toEqual([[["a"]], "big"]);
    expect(batches({}, {})).toEqual([[], null]);
    expect(batches({ a: [1] }, {})).toEqual([[], "a"]);
  });

  it("keep the node's file as it was where there are no snapshots", () => {
    const words = [
      ...["node=es1", "address=10.0.0.1", "version=2.19.5", `sha256=${"0".repeat(64)}`, "engine=opensearch"],
      ...["data=/var/lib/x", "logs=/var/log/x", "nodes=es1:10.0.0.1:safe:data:in"],
    ];
    const texts = (more: string[]) =>
      said(
        "configure_node",
        "(lambda told: configure_node.file_of(configure_node.facts_of('x', told[0]), told[1]))(configure_node.take(given))",
        [...words, ...more],
      );
    expect(texts([])).not.toContain("path.repo");
    expect(texts(["repo=/srv/snapshots"])).toBe(
      `${String(texts([]))}path.repo: ["/srv/snapshots"]\n`.split("\n").filter(Boolean).sort().join("\n") +
        "\n",
    );
    expect(said("configure_node", "configure_node.take(given)[0]['repo']", words)).toBe("");
  });
});
