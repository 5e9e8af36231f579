import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Bench, local, planned } from "./bench.ts";

let bench: Bench;
let folder: string;

beforeAll(async () => {
  bench = await Bench.start();
  folder = join(bench.folder, "work");
  mkdirSync(join(folder, "out"), { recursive: true });
  writeFileSync(join(folder, "out", "keep.txt"), "keep");
  writeFileSync(join(folder, "out", "secret.txt"), "secret");
});

afterAll(() => bench.stop());

const outputs = (name: string) => bench.stateOf(name)?.outputs;

describe("a local command", () => {
  const steps = (more: string) => [
    local({ create: `pwd; cat; echo "$WHO"${more}`, stdin: "in\n", dir: folder, environment: { WHO: "me" } }),
    local(
      { create: `[k for k in "ab"]; print("py")${more && " # more"}`, interpreter: ["python3", "-c"] },
      { name: "py" },
    ),
    local(
      {
        create: `echo "<$PULUMI_COMMAND_STDOUT|$PULUMI_COMMAND_STDERR>"; echo err >&2${more}`,
        triggers: ["same"],
      },
      { name: "before" },
    ),
    local(
      { create: `echo "<$PULUMI_COMMAND_STDOUT>"${more}`, addPreviousOutputInEnv: false },
      { name: "alone" },
    ),
    local({ create: "true", delete: `echo gone >${join(folder, "gone")}` }, { name: "deleted" }),
    local(
      { create: "true", dir: folder, assetPaths: ["out/*.txt", "!**secret*"], archivePaths: ["**"] },
      { name: "assets" },
    ),
    local(
      { create: `cat; echo`, stdin: { $secret: "hunter2-secret" }, logging: "none" },
      {
        name: "secret",
        additionalSecretOutputs: ["stdout"],
      },
    ),
    local({ triggers: ["idle"] }, { name: "idle" }),
  ];

  test("runs in its folder, with its interpreter, environment and stdin", async () => {
    const { code, output } = await bench.up(...steps(""));
    expect(code, output).toBe(0);
    expect(outputs("it")?.stdout).toBe(`${folder}\nin\nme`);
    expect(outputs("py")?.stdout).toBe("py");
    expect(outputs("before")).toMatchObject({ stdout: "<|>", stderr: "err" });
    expect(outputs("idle")).toMatchObject({ stdout: "", stderr: "" });
    expect(Object.keys(outputs("assets")?.assets ?? {})).toEqual(["out/keep.txt"]);
    expect(outputs("assets")?.archive).toHaveProperty("assets");
    expect(output).not.toContain("hunter2-secret");
    expect(JSON.stringify(bench.resources())).not.toContain("hunter2-secret");
  });

  test("updated, gets what it said last time, unless told not to; dropped, runs its delete", async () => {
    const kept = steps("; true").filter(({ name }) => name !== "deleted");
    const plan = await bench.preview(...kept);
    expect(["it", "before", "idle", "deleted"].map((name) => planned(plan, name))).toEqual([
      "update",
      "update",
      undefined,
      "delete",
    ]);
    const { code, output } = await bench.up(...kept);
    expect(code, output).toBe(0);
    expect(outputs("before")?.stdout).toBe("<<|>|err>");
    expect(outputs("alone")?.stdout).toBe("<>");
    expect(readFileSync(join(folder, "gone"), "utf8")).toBe("gone\n");
  });

  test("that fails or outlives its timeout fails the run with all it said", async () => {
    bench.want({
      resources: [
        local({ create: "echo said; exit 7" }, { name: "fails" }),
        local({ create: "exec sleep 60" }, { name: "sleeps", customTimeouts: { create: "1s" } }),
        local({ create: "true", dir: "/nowhere/at/all" }, { name: "nowhere" }),
      ],
    });
    const start = performance.now();
    const { code, output } = await bench.project.up("--continue-on-error");
    expect(code).not.toBe(0);
    expect(output).toContain('signal: killed: running "exec sleep 60"');
    expect(output).toMatch(/exit status 7: running "echo said; exit 7":\s+said/);
    expect(["fails", "sleeps", "nowhere"].map((name) => bench.stateOf(name))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(performance.now() - start).toBeLessThan(40_000);
  });

  test("called as a function runs at each preview and update", async () => {
    const run = { command: `echo x >>${join(folder, "ran")}; wc -l <${join(folder, "ran")}` };
    bench.want({ run });
    await bench.project.pulumi(["preview"]);
    const { output } = await bench.project.up();
    expect(output).toMatch(/ran\s*: "2"/);
  });
});
