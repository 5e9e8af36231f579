import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toolchain } from "../../tools/setup/toolchain.ts";

const packages = { language: "pulumi", command: "command", random: "random", aws: "aws" } as const;

test.each(Object.entries(toolchain().plugins))(
  "%s is there, in the version of its npm package",
  (name, plugin) => {
    console.info(`${name}: ${plugin.kind} ${plugin.version} (${plugin.path})`);
    const folder = join(
      import.meta.dirname,
      "..",
      "..",
      "node_modules",
      "@pulumi",
      packages[name as keyof typeof packages],
    );
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
    expect(existsSync(plugin.path), plugin.path).toBe(true);
    if (name !== "language") expect(plugin.version).toBe(version);
  },
);
