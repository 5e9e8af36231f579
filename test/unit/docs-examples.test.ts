import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { expect, it } from "vitest";
import { parseConfig } from "../../config.ts";
import { committedStack } from "../support/stack-file.ts";

const root = join(import.meta.dirname, "..", "..");
const folder = join(root, "docs", "systems");

type Fields = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A later example of a page goes on where an earlier one ended. */
const merged = (before: unknown, after: unknown): unknown =>
  isMap(before) && isMap(after)
    ? {
        ...before,
        ...Object.fromEntries(Object.entries(after).map(([key, value]) => [key, merged(before[key], value)])),
      }
    : after;

/** Local hosts for all names that the examples use. */
const names = [
  ...["slayer", "megadeth", "websvr", "prodapp01", "prodapp02"],
  ...["scalr-db", "scalr-app1", "scalr-app2", "scalr-worker"],
  ...["es1", "es2", "es3", "es4", "frontend"],
];
const hosts = Object.fromEntries(names.map((name) => [name, {}]));

const pages = globSync("*.md", { cwd: folder })
  .sort()
  .map((page) => {
    const text = readFileSync(join(folder, page), "utf8");
    return [page, [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, yaml = ""]) => yaml)] as const;
  });

it.each(pages)("every example of docs/systems/%s is a stack file that is accepted", (page, examples) => {
  expect(examples.length).toBeGreaterThan(0);
  let file: unknown = { platform: "local", hosts };
  for (const [index, yaml] of examples.entries()) {
    const keys = Object.entries(parse(yaml) as Fields).map(([key, value]) => [
      key.replace(/^changeover:/, ""),
      value,
    ]);
    file = merged(file, Object.fromEntries(keys));
    expect(() => parseConfig(file as Fields, `${page}, example ${String(index + 1)}`)).not.toThrow();
  }
});

it.each(globSync("config/examples/*.yaml", { cwd: root }))("%s is a stack file that is accepted", (file) => {
  expect(() => parseConfig(committedStack(file), file)).not.toThrow();
});
