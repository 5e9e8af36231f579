import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { documents } from "../../tools/docs.ts";

const root = join(import.meta.dirname, "..", "..");

/** Rows that a document names, by themselves or in `000-037 to 000-042`. */
function rowsIn(text: string): string[] {
  const ranges = [...text.matchAll(/(\d{3})-(\d{3}) to \1-(\d{3})/g)].flatMap(([, seed = "", from, to]) =>
    Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => rowOf(seed, Number(from) + index)),
  );
  return [...ranges, ...(text.match(/\b\d{3}-\d{3}\b/g) ?? [])];
}

const rowOf = (seed: string, row: number): string => `${seed}-${String(row).padStart(3, "0")}`;

it.each([
  ["000", 95],
  ["001", 167],
  ["004", 156],
])("every row of seed %s is proved by a test, or it is said how else it is met", (seed, count) => {
  const texts = ["rows.md", "rows-otherwise.md"].map((file) =>
    readFileSync(join(root, "docs", file), "utf8"),
  );
  const known = new Set(rowsIn(texts.join("\n")));
  const all = Array.from({ length: count }, (_, index) => rowOf(seed, index + 1));
  expect(all.filter((row) => !known.has(row))).toEqual([]);
});

it.each(Object.entries(documents))("%s is as `npm run docs` makes it", (path, make) => {
  expect(readFileSync(join(root, path), "utf8")).toBe(make());
});
