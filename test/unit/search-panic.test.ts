import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { SearchFacts } from "../../components/search-cluster/decide.ts";
import { goneFromSearch } from "../../components/search-cluster/leaving.ts";
import { rescueOrder } from "../../components/search-cluster/panic/goal.ts";
import { rescueTable } from "../../components/search-cluster/panic/table.ts";
import { remarksOfSearch } from "../../components/search-cluster/panic/verify.ts";
import { searchSample } from "../../components/search-cluster/sample.ts";
import {
  describeSearch,
  looksOfSearch,
  searchDifferences,
  type SearchExpected,
} from "../../components/search-cluster/verify.ts";
import { searchEntry } from "../../components/search-cluster/config.ts";
import { root } from "../../config/places.ts";
import { configProblems } from "../support/config-problems.ts";
import { declaredFor } from "../support/declared.ts";

const nodes = {
  es1: { roles: ["data", "manager"] },
  es2: { roles: ["data", "manager"] },
  es3: { zone: "spot" },
  frontend: { roles: ["manager"] },
};
const entry = { ...searchSample.entry, singleManager: undefined, nodes, coordinator: "frontend" };
const file = (change: object = {}, more: object = {}) => ({
  platform: "local",
  hosts: Object.fromEntries([...Object.keys(nodes), "worker"].map((host) => [host, {}])),
  searchClusters: { catalogue: JSON.parse(JSON.stringify({ ...entry, ...change })) as object },
  ...more,
});
const writers = { worker: ["indexer.service", "import.timer"], es3: ["queue.service"] };

describe("a cluster in trouble in a stack file", () => {
  const problems = (change: object) => configProblems(file(change));

  it("may say all of it, on hosts that are no nodes too", () => {
    const retention = {
      old: { index: "pages-*", field: "at", olderThanDays: 90, limit: 10, now: "disk" },
      gone: { index: "keywords", query: "config/deleted.json", limit: 10 },
    };
    const queries = { slowSeconds: 30, cancel: "slow" };
    expect(problems({ writers, paused: "stuck", rescue: "red", queries, retention })).toEqual([]);
  });

  it.each([
    ["a pause of nobody", { paused: "stuck" }, /paused: names nobody to stop/],
    ["ssh", { writers: { es1: ["ssh.service"] } }, /no unit of the machine/],
    [
      "a unit of the program itself",
      { writers: { es1: ["changeover-search-catalogue.service"] } },
      /none that this program runs/,
    ],
    ["a unit without its kind", { writers: { es1: ["indexer"] } }, /a unit with its kind/],
    ["a unit twice", { writers: { es1: ["a.service", "a.service"] } }, /a\.service is there twice/],
    ["a host that is not there", { writers: { es9: ["a.service"] } }, /"es9" is not a host in this file/],
    [
      "a rule without an age",
      { retention: { old: { index: "a", field: "at", limit: 1 } } },
      /says not what is old/,
    ],
    [
      "a rule with both",
      { retention: { old: { index: "a", field: "at", olderThanDays: 1, query: "q.json", limit: 1 } } },
      /says not what is old/,
    ],
    [
      "every index",
      { retention: { old: { index: "*", field: "at", olderThanDays: 1, limit: 1 } } },
      /the name of an index/,
    ],
    [
      "an alias that is called like a node",
      { indexes: { es1: { version: "1", versions: { 1: { body: "one.json" } } } } },
      /would name two components/,
    ],
  ])("refuses %s", (_, change, text) => {
    expect(problems(change).join("\n")).toMatch(text);
  });

  it("refuses the same units on the host", () => {
    for (const unit of ["changeover-search-a.service", "ssh.service", "x", "../x.service"]) {
      const words = ["catalogue", "pause", "pause", "stuck", unit];
      const { status } = spawnSync("python3", ["-I", "scripts/search/writers.py", ...words], { cwd: root });
      expect(status).toBe(64);
    }
  });

  it("keeps a host of writers until its units run again", () => {
    const before: SearchExpected = {
      ...expected,
      paused: { since: "2026-11-30T10:00:00Z", reason: "stuck" },
    };
    const now = searchEntry.parse({
      ...JSON.parse(JSON.stringify(entry)),
      writers: { worker: ["a.service"] },
    });
    expect(
      goneFromSearch("catalogue", before, now).map((one) => ("path" in one ? one.path.at(-1) : one)),
    ).toEqual(["es3"]);
  });
});

describe("what is declared", () => {
  const stepsOf = async (change: object, more: object = {}): Promise<string[]> =>
    (await declaredFor(file(change, more)))
      .map(({ name, type }) => (type === "command:remote:Command" ? name : ""))
      .filter((name) => /-(pause|rescue|cancel|delete)-/.test(name));

  it("is nothing where the file says nothing", async () => {
    expect(await stepsOf({})).toEqual([]);
    expect(
      await stepsOf({ retention: { old: { index: "a", field: "at", olderThanDays: 1, limit: 1 } } }),
    ).toEqual([]);
  });

  it("is a pause on each host of writers, with the proof on the coordinator [002-078] [002-083]", async () => {
    const steps = await stepsOf({ writers, paused: "stuck" });
    expect(steps).toContain("catalogue-writers-pause-pause-worker");
    expect(steps).toContain("catalogue-writers-pause-still-frontend");
    expect((await stepsOf({ writers })).filter((name) => /-(resume|still)-/.test(name)).sort()).toEqual([
      "catalogue-writers-pause-resume-es3",
      "catalogue-writers-pause-resume-worker",
    ]);
  });

  it("leaves out hosts that are lost, in a rescue too", async () => {
    const steps = await stepsOf({ writers, rescue: "red" }, { unreachable: ["es3"] });
    expect(steps.filter((name) => name.includes("es3"))).toEqual([]);
    expect(steps).toContain("catalogue-rescue-then-es1");
  });

  it("has a delete as a transition of its own, counted first [002-084]", async () => {
    const old = { index: "a", field: "at", olderThanDays: 1, limit: 1, now: "disk" };
    expect(await stepsOf({ retention: { old } })).toEqual(
      expect.arrayContaining([
        "catalogue-old-old-delete-count-frontend",
        "catalogue-old-old-delete-delete-frontend",
      ]),
    );
  });
});

it("a rescue pauses, holds allocation, starts nodes, managers first, lets go and resumes [002-081] [002-082]", () => {
  const order = rescueOrder({ nodes: searchEntry.parse(JSON.parse(JSON.stringify(entry))).nodes });
  expect(order).toEqual(["es1", "es2", "frontend", "es3"]);
  const args = { cluster: "catalogue", stop: 60, start: 120, cover: 1800 };
  expect(rescueTable({ ...args, order: ["es1", "es3"], writers: true }).map(({ phase }) => phase)).toEqual([
    ...["pause", "begin", "first-es1", "first-es3", "then-es1", "then-es3", "end", "resume"],
  ]);
});

const expected: SearchExpected = {
  engine: "opensearch",
  version: "2.19.5",
  port: 9200,
  nodes: { es1: { is: "in", zone: "safe", roles: ["data"] } },
  drains: {},
  writers,
};

describe("what verify, look and previews say of a pause", () => {
  const right = searchSample.facts["search/probe"]?.right as unknown as SearchFacts;
  const pause = {
    ...{ by: ["pause"], since: "2026-11-30T10:00:00Z", reason: "stuck" },
    ...{ ran: ["indexer.service"], running: [] },
  };
  const paused = { since: "2026-11-30T10:00:00Z", reason: "stuck" };
  const seen = (facts: Partial<SearchFacts>, now: SearchExpected) =>
    looksOfSearch("catalogue", now).map((request) => ({
      request,
      look: {
        host: request.host,
        facts: { ...right, ...(request.host === "worker" ? { active: false, node: null, ...facts } : {}) },
      },
    }));
  const said = (
    facts: Partial<SearchFacts>,
    now: SearchExpected = { ...expected, writers: { worker: ["a"] } },
  ) => searchDifferences("catalogue", now, seen(facts, now));

  it("nothing of what is as the state has it, and nothing of a node where none is to be", () => {
    expect(said({})).toEqual([]);
    expect(said({ writers: pause }, { ...expected, writers: { worker: ["a"] }, paused })).toEqual([]);
  });

  it("what is not", () => {
    expect(said({ writers: pause })[0]).toMatch(
      /^worker: its writers are paused since .* stuck \(indexer\.service ran before\) \(expected: running\)/,
    );
    const now = { ...expected, writers: { worker: ["a"] }, paused };
    expect(said({}, now)[0]).toMatch(/^worker: its writers of catalogue are not paused/);
    expect(said({ writers: { ...pause, running: ["indexer.service"] } }, now)[0]).toMatch(
      /^worker: indexer\.service runs although catalogue is paused; stop it/,
    );
  });

  it("since when and why, and how many searches are slow", () => {
    const now = { ...expected, writers: { worker: ["a"] } };
    const [, worker] = seen({ writers: pause, slow_queries: 2 }, now);
    expect(worker && describeSearch("catalogue", worker, now)).toBe(
      "writes to catalogue, its writers are paused since 2026-11-30T10:00:00Z: stuck (indexer.service ran before), 2 slow searches",
    );
    expect(remarksOfSearch("catalogue", { paused: "stuck" }, { ...expected, paused })[0]).toMatch(
      /^catalogue: its writers are paused since 2026-11-30T10:00:00Z: stuck; only the file ends it/,
    );
    expect(remarksOfSearch("catalogue", {}, expected)).toEqual([]);
  });
});

describe("which searches are slow", () => {
  const python = (tasks: object) =>
    JSON.parse(
      spawnSync(
        "python3",
        [
          "-c",
          'import json,sys; sys.path.insert(0,"scripts/search"); import queries; print(json.dumps(queries.slow_of(json.load(sys.stdin), 30)))',
        ],
        { cwd: root, input: JSON.stringify({ nodes: { n1: { name: "es1", tasks } } }), encoding: "utf8" },
      ).stdout,
    ) as Record<string, unknown>[];
  const task = (change: object) => ({
    ...{ action: "indices:data/read/search", running_time_in_nanos: 40e9, cancellable: true },
    description: `indices[pages], types[], search_type[QUERY_THEN_FETCH], source[{"query":"${"x".repeat(300)}"}]`,
    headers: { "X-Opaque-Id": "report" },
    ...change,
  });

  it("are those of programs that run longer, with age, index, program and the begin of the query", () => {
    const [one, ...more] = python({ "n1:1": task({}), "n1:2": task({ running_time_in_nanos: 1e9 }) });
    expect(more).toEqual([]);
    expect(one).toMatchObject({ id: "n1:1", node: "es1", seconds: 40, index: "pages", by: "report" });
    expect(String(one?.query)).toHaveLength(200);
  });

  it("are never writes, recoveries, or searches that belong to a reindex [002-083]", () => {
    expect(
      python({
        "n1:1": task({ action: "indices:data/write/bulk" }),
        "n1:2": task({ action: "internal:index/shard/recovery/start_recovery" }),
        "n1:3": task({ parent_task_id: "n1:9" }),
        "n1:4": task({ action: "indices:data/write/reindex" }),
      }),
    ).toEqual([]);
  });
});
