import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { processes } from "../support/processes.ts";
import { Bench, local } from "./bench.ts";
import { standIn } from "./plugins.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
  // npm removes a link from the folder where it installs, so the SDK is found beside the projects.
  symlinkSync(modules, join(bench.folder, "node_modules"));
});

afterAll(() => bench.stop());

const modules = join(import.meta.dirname, "..", "..", "node_modules");

/** Writes a project in CommonJS that runs for the engine. @param file what makes it one. */
function project(file: "PulumiPolicy.yaml" | "PulumiPlugin.yaml", folder: string, code: string): string {
  mkdirSync(folder);
  writeFileSync(join(folder, file), "runtime: nodejs\n");
  writeFileSync(join(folder, "package.json"), '{ "name": "toy", "version": "1.2.3" }\n');
  writeFileSync(join(folder, "index.js"), code);
  return folder;
}

const pack = (name: string, code: string, within = bench.folder) =>
  project("PulumiPolicy.yaml", join(within, name), code);

const says = (enforcementLevel: string, text: string) => `
  const { PolicyPack } = require("@pulumi/policy");
  const pulumi = require("@pulumi/pulumi");
  new PolicyPack("words", { policies: [{
    name: "says",
    description: "What it says.",
    enforcementLevel: "${enforcementLevel}",
    validateResource: ({ type, props }, report) => {
      if (type === "command:local:Command") report(${text});
    },
  }] });
`;

const preview = (folder: string, seconds = 60) => {
  bench.want({ resources: [local({ create: "echo it" })] });
  return bench.project.pulumi(["preview", "--policy-pack", folder], seconds);
};

async function until(so: () => boolean, seconds: number): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !so() && Date.now() < deadline;) await pause(100);
}

describe("a policy pack", () => {
  test("runs in its folder, knows the stack and its config, and says what it sees in a preview", async () => {
    const told = await bench.project.pulumi(["config", "set", "colour", "red"]);
    expect(told.code, told.output).toBe(0);
    const folder = pack(
      "advises",
      says(
        "advisory",
        "[props.create, process.cwd(), pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack(), new pulumi.Config().get('colour')].join(' ')",
      ),
    );
    const { code, output } = await preview(folder);
    expect(code, output).toBe(0);
    expect(output).toContain(`echo it ${folder} organization changeover test red`);
    expect(output).toContain("words@v1.2.3");
  });

  test("refuses by a mandatory policy: preview and update fail, and nothing is made", async () => {
    const folder = pack("refuses", says("mandatory", "`no ${props.create} here`"));
    const previewed = await preview(folder);
    expect(previewed.code).not.toBe(0);
    expect(previewed.output).toContain("no echo it here");
    const updated = await bench.project.pulumi(["up", "--yes", "--skip-preview", "--policy-pack", folder]);
    expect(updated.code).not.toBe(0);
    expect(updated.output).toContain("no echo it here");
    expect(bench.stateOf("it")).toBeUndefined();
  });

  test("can ask the CLI for the state while an update runs", async () => {
    const state =
      "require('node:child_process').execSync('pulumi stack export --stack organization/changeover/test', { encoding: 'utf8' })";
    const folder = pack(
      "asks",
      says("advisory", `${state}.includes('changeover::pulumi:pulumi:Stack') ? 'read' : 'none'`),
    );
    bench.want({ resources: [local({ create: "true" })] });
    const { code, output } = await bench.project.up("--policy-pack", folder);
    expect(code, output).toBe(0);
    expect(output).toMatch(/What it says\.\s+read/);
  });

  // The real language host lives on when the CLI is killed.
  test.each<NodeJS.Signals>(standIn("language") ? ["SIGINT", "SIGKILL"] : ["SIGINT"])(
    "ends with the preview, also with one that gets %s",
    async (signal) => {
      const folder = pack(`stays-${signal}`, `setInterval(() => {}, 1000);${says("advisory", "'seen'")}`);
      const running = () =>
        processes().filter(({ command }) => command.includes("run-policy-pack") && command.includes(folder));
      const whole = await preview(folder);
      expect(whole.code, whole.output).toBe(0);
      expect(running()).toEqual([]);
      bench.want({ resources: [], end: "hang", says: "all is declared" });
      const { child, run } = bench.project.start(["preview", "--policy-pack", folder], 60);
      await until(() => running().length > 0, 30);
      expect(running()).toHaveLength(1);
      child.kill(signal);
      await run;
      await until(() => running().length === 0, 10);
      expect(running()).toEqual([]);
    },
  );

  test.each([
    ["throws", "throw new Error('at its wits end');", /at its wits end/],
    ["ends", "process.exit(3);", /could not read|before it served: exit code 3/],
    ["serves nothing", "console.log('hello');", /could not read|printed "hello" where/],
    ["has no SDK", undefined, /npm install/],
  ])("that %s fails the preview with the reason, at once", async (name, code, reason) => {
    const folder = pack(
      name.replaceAll(" ", "-"),
      code ?? "",
      code === undefined ? bench.project.folder : bench.folder,
    );
    const started = Date.now();
    const run = await preview(folder, 30);
    expect(run.code, run.output).not.toBe(0);
    expect(run.code, run.output).not.toBeNull();
    expect(run.output).toMatch(reason);
    expect(Date.now() - started, run.output).toBeLessThan(5_000);
  });

  test("whose packages cannot be installed says so", async () => {
    const folder = pack("not-installed", "");
    writeFileSync(
      join(folder, "package.json"),
      '{ "version": "1.2.3", "dependencies": { "it": "file:none.tgz" } }\n',
    );
    const { code, output } = await bench.project.pulumi(["install", "--cwd", folder], 60);
    expect(code, output).not.toBe(0);
    expect(code, output).not.toBeNull();
    expect(output).toMatch(/npm install|exit (code|status)/);
  });
});

describe("a provider that is a Node project", () => {
  const provider = (name: string, code: string) =>
    project("PulumiPlugin.yaml", join(bench.folder, name), code);
  const schemaOf = (folder: string) => bench.project.pulumi(["package", "get-schema", folder], 60);

  test("is started, and answers", async () => {
    const schema = '{ name: "toy", version: "1.2.3", description: "it answers" }';
    const code = `
      const { provider } = require("@pulumi/pulumi");
      const answers = { version: "1.2.3", getSchema: () => Promise.resolve(JSON.stringify(${schema})) };
      module.exports = provider.main(answers, process.argv.slice(2));
    `;
    const { code: ended, output } = await schemaOf(provider("answers", code));
    expect(ended, output).toBe(0);
    expect(output).toContain('"description": "it answers"');
  });

  test("that ends at once fails with its exit code", async () => {
    const { code, output } = await schemaOf(provider("ends-at-once", "process.exit(3);"));
    expect(code, output).not.toBe(0);
    expect(code, output).not.toBeNull();
    expect(output).toMatch(/exit (status|code):? 3/);
  });
});
