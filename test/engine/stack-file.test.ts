import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Project } from "../support/engine.ts";
import { ok } from "../support/runs.ts";
import { stackKeys } from "../support/stack-file.ts";

const root = join(import.meta.dirname, "..", "..");
const files = globSync(["Pulumi.*.yaml", "config/examples/*.yaml"], { cwd: root }).sort();

it.each(files)(
  "the CLI adds a salt to %s, changes one line for one value, and formats nothing anew",
  async (name) => {
    const project = new Project(root);
    const file = join(project.folder, "Pulumi.test.yaml");
    const committed = readFileSync(join(root, name), "utf8");
    const pairs = stackKeys(committed).pairs as Record<string, { production: string; secondary: string }>;
    const [[pair, { production, secondary }] = ["", { production: "", secondary: "" }]] =
      Object.entries(pairs);
    writeFileSync(file, committed);
    try {
      ok(await project.pulumi(["stack", "init", "test"]));
      const begun = readFileSync(file, "utf8");
      const [salt, ...more] = begun.slice(committed.length).trim().split("\n");
      expect([begun.slice(0, committed.length), more]).toEqual([committed, []]);
      expect(salt).toMatch(/^encryptionsalt: /);
      ok(await project.pulumi(["config", "set", "--path", `changeover:pairs.${pair}.production`, secondary]));
      const set = begun.replace(`\n      production: ${production}\n`, `\n      production: ${secondary}\n`);
      expect(readFileSync(file, "utf8")).toBe(set);
    } finally {
      project.remove();
    }
  },
);
