import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { systems } from "../../components/registry.ts";
import { documents, pageOf, rowsOfSeeds } from "../../tools/docs.ts";

const root = join(import.meta.dirname, "..", "..");
const rows = Object.keys(JSON.parse(readFileSync(join(root, "docs", "rows.json"), "utf8")) as object);

it.each([
  ["000", 95],
  ["001", 167],
  ["004", 156],
])("every row of seed %s is proved by a test, or it is said how else it is met", (seed, count) => {
  expect(rows.filter((row) => row.startsWith(`${seed}-`))).toHaveLength(count);
  expect(rowsOfSeeds().open.filter((row) => row.startsWith(`${seed}-`))).toEqual([]);
});

it("every row of the seeds is in docs/rows.md once", () => {
  const page = readFileSync(join(root, "docs", "rows.md"), "utf8");
  expect([...page.matchAll(/^\| (\d{3}-\d{3}) \|/gm)].map(([, row]) => row).sort()).toEqual(rows.sort());
});

it.each(Object.entries(documents))("%s is as `npm run docs` makes it", (path, make) => {
  expect(readFileSync(join(root, path), "utf8")).toBe(make());
});

it.each(systems.map((system) => [system.noun, pageOf(system)]))(
  "a %s has its page: docs/systems/%s",
  (_, page) => {
    expect(readFileSync(join(root, "docs", "systems", page), "utf8")).toMatch(/^# /);
  },
);

it("README shows lines of a run-book as the CLI printed them, in their order", () => {
  const read = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
  const printed = read("test", "engine", "run-books", "recovery-dev.txt").split("\n");
  const [, shown = ""] = /\n```\n(sounz-switch: [^]*?)\n```\n/.exec(read("README.md")) ?? [];
  const lines = shown.split("\n");
  expect(lines.length).toBeGreaterThan(8);
  const at = lines.map((line) => printed.indexOf(line));
  expect(at).not.toContain(-1);
  expect(at).toEqual([...at].sort((one, other) => one - other));
});
