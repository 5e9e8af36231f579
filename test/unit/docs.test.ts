import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { documents } from "../../tools/docs.ts";

const root = join(import.meta.dirname, "..", "..");

it.each(Object.entries(documents))("%s is as `npm run docs` makes it", (path, make) => {
  expect(readFileSync(join(root, path), "utf8")).toBe(make());
});
