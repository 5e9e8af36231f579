import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { childrenOf, type Process, processes } from "../support/processes.ts";
import { Bench, local } from "./bench.ts";
import { standIn } from "./plugins.ts";
import type { Wanted } from "./wanted.ts";

let bench: Bench;

const held = [local({ create: "true" }, { name: "first" }), local({ create: "true" }, { name: "second" })];

beforeAll(async () => {
  bench = await Bench.start();
  const made = await bench.up(...held);
  expect(made.code, made.output).toBe(0);
});

afterAll(() => bench.stop());

const names = () =>
  bench
    .resources()
    .map(({ urn }) => urn.split("::").at(-1))
    .filter((name) => name === "first" || name === "second");

const isProgram = ({ command }: Process) => command.includes("@pulumi/pulumi/cmd/run");

/** Starts an update whose program stays, and waits until it has declared all. */
async function hanging(wanted: Wanted) {
  bench.want({ ...wanted, end: "hang", says: "all is declared" });
  const started = bench.project.start(["up", "--yes", "--skip-preview"], 60);
  await new Promise<void>((resolve, reject) => {
    void started.run.then(({ output }) => reject(new Error(output)));
    started.child.stdout?.on("data", (data: Buffer) => {
      if (data.toString().includes("stdout all is declared")) resolve();
    });
  });
  return started;
}

describe("a program", () => {
  test.each([
    ["throw", "the program is at its wits' end"],
    ["exit", "Program exited with non-zero exit code: 3"],
  ] as const)("that ends by %s fails the run, and what it had not declared stays", async (end, says) => {
    bench.want({ resources: held.slice(0, 1), end });
    const { code, output } = await bench.project.up();
    expect(code).not.toBe(0);
    expect(output).toContain(says);
    expect(names()).toEqual(["first", "second"]);
  });

  test("that is killed fails the run, and what it had not declared stays", async () => {
    const { child, run } = await hanging({ resources: held.slice(0, 1) });
    const program = childrenOf(child.pid ?? 0).find(isProgram);
    if (!program) throw new Error("no program runs");
    process.kill(program.pid, "SIGKILL");
    const { code, output } = await run;
    expect(code).not.toBe(0);
    expect(output).not.toContain("deleted");
    expect(names()).toEqual(["first", "second"]);
  });

  test("runs on the Node of its options, and all it says reaches the CLI", async () => {
    const project = join(bench.project.folder, "Pulumi.yaml");
    const program = join(import.meta.dirname, "program", "index.ts");
    const nodeargs = "--max-old-space-size=777 --title='a b'";
    const runtime = `{ name: nodejs, options: { typescript: false, nodeargs: "${nodeargs}" } }`;
    writeFileSync(project, `name: changeover\nruntime: ${runtime}\nmain: ${JSON.stringify(program)}\n`);
    bench.want({ resources: held, says: "hello" });
    const { code, output } = await bench.project.up();
    expect(code, output).toBe(0);
    for (const text of [
      "stdout hello",
      "stderr hello",
      "--max-old-space-size=777 --title=a b",
      process.version,
    ])
      expect(output).toContain(text);
    expect(output).not.toMatch(/warning: using pulumi-\S+ from \$PATH/);
  });

  test("is asked before a creation by its hooks, which can refuse it", async () => {
    const [asked, refused] = [
      local({ create: "true" }, { name: "asked", hook: "tell" }),
      local({ create: "true" }, { name: "refused", hook: "refuse" }),
    ];
    const told = await bench.up(...held, asked);
    expect(told.output).toContain("about to make asked");
    const { code, output } = await bench.up(...held, asked, refused);
    expect(code).not.toBe(0);
    expect(output).toContain("refused is not to be made");
    expect(bench.stateOf("refused")).toBeUndefined();
  });

  // The real ones live on when the CLI is killed.
  test.runIf(standIn("language"))("and its host end with a killed CLI", async () => {
    const { child, run } = await hanging({ resources: held });
    const below = childrenOf(child.pid ?? 0).map(({ pid }) => pid);
    expect(below.length).toBeGreaterThanOrEqual(2);
    child.kill("SIGKILL");
    await run;
    const alive = () => processes().filter(({ pid }) => below.includes(pid));
    for (const deadline = Date.now() + 10_000; alive().length > 0 && Date.now() < deadline;) await pause(100);
    expect(alive()).toEqual([]);
  });
});
