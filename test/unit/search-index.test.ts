import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bodyOf } from "../../components/search-cluster/indexes/body.ts";
import { indexTable } from "../../components/search-cluster/indexes/table.ts";
import { searchSample } from "../../components/search-cluster/sample.ts";
import { configProblems } from "../support/config-problems.ts";
import { declaredFor } from "../support/declared.ts";

const folder = mkdtempSync(join(tmpdir(), "search-index-"));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const versions = {
  1: { body: file("one.json", '{"mappings":{}}') },
  2: { body: file("two.json", '{"settings":{"number_of_shards":2}}') },
};
const stack = (index: object, alias = "pages") => ({
  platform: "local",
  hosts: { es1: {} },
  searchClusters: {
    catalogue: { ...searchSample.entry, indexes: { [alias]: { version: "1", versions, ...index } } },
  },
});
const python = (text: string): unknown =>
  JSON.parse(
    execFileSync(
      "python3",
      [
        "-c",
        `import json, sys\nsys.path.insert(0, "scripts/search")\nsys.dont_write_bytecode = True\n${text}`,
      ],
      {
        cwd: join(import.meta.dirname, "../.."),
        encoding: "utf8",
      },
    ),
  );

describe("an index in a stack file", () => {
  it("is accepted, and an import with its source", () => {
    expect(configProblems(stack({}))).toEqual([]);
    expect(configProblems(stack({ how: "import", from: "http://10.0.0.1:9200/pages" }))).toEqual([]);
  });

  it.each([
    ["a version without a body", { version: "3" }, /"3" is none of `versions`/],
    ["an import without a source", { how: "import" }, /an import reads an index of another cluster/],
    ["a source that nothing reads", { from: "http://10.0.0.1:9200/pages" }, /is for `how: import` alone/],
    [
      "a secret in the source",
      { how: "import", from: "http://me:word@10.0.0.1:9200/pages" },
      /http:\/\/host:port\/index/,
    ],
    ["a block that a watch would not outlive", { maxBlockSeconds: 90 }, /from 1 to 75/],
  ])("refuses %s", (_, index, words) => {
    expect(configProblems(stack(index)).join("\n")).toMatch(words);
  });

  it("refuses an alias that is a node's name, or none", () => {
    expect(configProblems(stack({}, "es1")).join("\n")).toMatch(/is the name of a node/);
    expect(configProblems(stack({}, "Pages")).join("\n")).toMatch(/lower-case letters/);
  });

  it.each([
    ["none.json", undefined, /can't be read/],
    ["odd.json", "{", /is no JSON/],
    ["list.json", "[]", /is no JSON object/],
    ["more.json", '{"aliases":{}}', /has "aliases"; allowed: a JSON file with `settings` and `mappings`/],
    ["text.json", '{"settings":"x"}', /has settings that is no object/],
  ])("refuses body %s in words", (name, text, words) => {
    const path = text === undefined ? join(folder, name) : file(name, text);
    expect(() => bodyOf(path, folder, "searchClusters.a.indexes.b")).toThrow(words);
  });

  it("is a goal of its own, which limits change not", async () => {
    const idOf = async (index: object): Promise<string> => {
      const declared = await declaredFor(stack(index));
      return JSON.stringify(declared.find(({ name }) => name === "catalogue-pages-index-id")?.inputs.keepers);
    };
    const first = await idOf({});
    expect(first).toContain('"version":"1"');
    expect(await idOf({ maxBlockSeconds: 5, keepOld: 3, docsPerSecond: 100 })).toBe(first);
    expect(await idOf({ version: "2" })).not.toBe(first);
    expect(await idOf({ versions: { 1: versions[2] } })).not.toBe(first);
  });

  it("changes in place without a new index, and swaps after the comparison", () => {
    const args = { cluster: "c", alias: "a", maxBlockSeconds: 30, keepOld: 1, docsPerSecond: 0 };
    const phases = (how: "reindex" | "update" | "import") =>
      indexTable({ ...args, how }).map(({ phase }) => phase);
    expect(phases("reindex")).toEqual(["check", "create", "copy", "swap", "clean"]);
    expect(phases("update")).toEqual(["check", "update"]);
  });
});

describe("old indexes", () => {
  const index = (date: number, served: boolean, aliases: object = {}) => ({
    aliases,
    settings: { "index.creation_date": String(date) },
    mappings: { _meta: { changeover: { served } } },
  });

  it("are deleted beyond those kept, and never with an alias [002-105]", () => {
    const found = {
      v1: index(1, true),
      v2: index(2, true),
      v3: index(3, true, { pages: {} }),
      v4: index(4, false, { "changeover-swap-pages": {} }),
      v5: index(5, true, { pinned: {} }),
      v6: index(6, false, { pinned: {} }),
    };
    const surplus = (keep: number): unknown =>
      python(
        `import index_clean\nprint(json.dumps(index_clean.surplus(json.loads('''${JSON.stringify(found)}'''), "v3", "changeover-swap-pages", ${String(keep)})))`,
      );
    expect(surplus(1)).toEqual([["v1", "v4"], ["v2"]]);
    expect(surplus(0)).toEqual([["v1", "v2", "v4"], []]);
    expect(surplus(9)).toEqual([["v4"], ["v2", "v1"]]);
  });

  it("says which settings of a body an index has not, however they are written", () => {
    const real = {
      "index.number_of_shards": "2",
      "index.refresh_interval": "5s",
      "index.analysis.analyzer.a.type": "x",
    };
    const other = (settings: object): unknown =>
      python(
        `import index_update\nprint(json.dumps(index_update.other_settings({"settings": json.loads('${JSON.stringify(settings)}')}, ${JSON.stringify(real)})))`,
      );
    expect(
      other({ number_of_shards: 2, index: { refresh_interval: "5s" }, "index.number_of_shards": "2" }),
    ).toEqual([]);
    expect(other({ analysis: { analyzer: { a: { type: "x" } } } })).toEqual([]);
    expect(other({ number_of_shards: 3, codec: "best_compression" })).toEqual([
      "index.codec",
      "index.number_of_shards",
    ]);
  });
});
