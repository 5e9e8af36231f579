import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ignoredLocally, ignoredRemotely } from "../../transition/step.ts";
import { Project } from "../support/engine.ts";
import { toolchain } from "../../tools/workshop/setup/toolchain.ts";

interface Schema {
  readonly resources: Record<string, { readonly inputProperties: Record<string, unknown> }>;
}

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

test("steps ignore every input but triggers that the plugin's own schema has", async () => {
  const project = new Project(join(import.meta.dirname, "program", "index.ts"));
  const { output } = await project.pulumi([
    "package",
    "get-schema",
    `command@${toolchain().plugins.command.version}`,
  ]);
  project.remove();
  const end = output.lastIndexOf("\n}");
  const { resources } = JSON.parse(output.slice(output.indexOf("{"), end + 2)) as Schema;
  const inputs = (type: string) =>
    Object.keys(resources[type]?.inputProperties ?? {}).filter((name) => name !== "triggers");
  expect(inputs("command:remote:Command").sort()).toEqual([...ignoredRemotely].sort());
  expect(inputs("command:local:Command").sort()).toEqual([...ignoredLocally].sort());
});
