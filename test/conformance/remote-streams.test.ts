import type { ChildProcess } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Run } from "../support/engine.ts";
import { childrenOf, processes } from "../support/processes.ts";
import { Bench, remote, taken, type TestHost } from "./bench.ts";
import { standIn } from "./plugins.ts";

let bench: Bench;
let slayer: TestHost;

beforeAll(async () => {
  bench = await Bench.start();
  slayer = await bench.host("slayer", ["AcceptEnv ALLOWED PULUMI_COMMAND_STDOUT"]);
});

afterAll(() => bench.stop());

describe("a remote command's variables", () => {
  test("reach the command when sshd takes them, its own output of last time among them", async () => {
    const args = { environment: { ALLOWED: "yes" }, addPreviousOutputInEnv: true };
    const create = "echo $ALLOWED $PULUMI_COMMAND_STDOUT";
    await bench.up(remote(slayer, { ...args, create }, { name: "vars" }));
    expect(bench.stateOf("vars")?.outputs?.stdout).toBe("yes");
    await bench.up(remote(slayer, { ...args, create: `${create} again` }, { name: "vars" }));
    expect(bench.stateOf("vars")?.outputs?.stdout).toBe("yes yes again");
  });

  test("fail the step when sshd refuses them", async () => {
    const args = { create: "echo no >>$HERE/did", environment: { FORBIDDEN: "x" } };
    const { code, output } = await bench.up(remote(slayer, args, { name: "forbidden" }));
    expect(code).not.toBe(0);
    expect(output).toContain('could not set environment variable "FORBIDDEN"');
    expect(taken(slayer)).toEqual([]);
  });
});

describe("secrets", () => {
  test("of connection, stdin and named outputs are in no output, preview or plain state", async () => {
    const args = { create: "cat", stdin: { $secret: "hunter2-secret" }, logging: "none" };
    const opts = { name: "hidden", additionalSecretOutputs: ["stdout"] };
    const made = await bench.up(remote(slayer, args, opts));
    expect(made.code, made.output).toBe(0);
    const exported = await bench.project.pulumi(["stack", "export"]);
    const changed = remote(slayer, { ...args, triggers: ["x"] }, opts);
    bench.want({ resources: [changed] });
    const diff = await bench.project.pulumi(["preview", "--diff"]);
    const json = await bench.project.pulumi(["preview", "--json"]);
    for (const { output } of [made, exported, diff, json]) {
      expect(output).not.toContain("hunter2-secret");
      expect(output).not.toContain("OPENSSH PRIVATE KEY");
    }
    const state = JSON.parse(exported.output) as {
      deployment: { resources: { urn: string; outputs: object }[] };
    };
    const outputs = state.deployment.resources.find(({ urn }) => urn.endsWith("::hidden"))?.outputs;
    const sealed = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
    expect(outputs).toMatchObject({ connection: sealed, stdin: sealed, stdout: sealed });
    const { output } = await bench.project.pulumi(["stack", "export", "--show-secrets"]);
    expect(output).toContain("hunter2-secret");
  });
});

describe("what a remote command says", () => {
  const talk = (logging: string | undefined) =>
    remote(
      slayer,
      { create: "echo to-stdout; echo to-stderr >&2", ...(logging && { logging }) },
      { name: `says-${logging ?? "default"}` },
    );

  test("is logged by stream, as asked", async () => {
    const { output } = await bench.up(talk(undefined), talk("stdout"), talk("stderr"), talk("none"));
    const said = (name: string) => output.split("\n").filter((line) => line.includes(` says-${name} `));
    const has = (name: string, text: string) => said(name).some((line) => line.includes(text));
    const table = ["default", "stdout", "stderr", "none"].map((name) => [
      name,
      has(name, "to-stdout"),
      has(name, "to-stderr"),
    ]);
    expect(table).toEqual([
      ["default", true, true],
      ["stdout", true, false],
      ["stderr", false, true],
      ["none", false, false],
    ]);
  });

  test("is logged while it still runs", async () => {
    const create = "echo waiting for the file >&2; until [ -e $HERE/go ]; do sleep 0.05; done; echo went on";
    bench.want({ resources: [remote(slayer, { create, logging: "stderr" }, { name: "slow" })] });
    const { child, run } = bench.project.start(["up", "--yes", "--skip-preview"], 60);
    await heard(child, run, "waiting for the file");
    writeFileSync(`${slayer.folder}/go`, "");
    expect((await run).code).toBe(0);
  });

  test("may be much: 4 MB in lines and 4 MB without an end of line are kept whole", async () => {
    const lines = remote(
      slayer,
      { create: "yes 0123456789abcde | head -n 262144", logging: "none" },
      { name: "lines" },
    );
    const line = remote(
      slayer,
      { create: "head -c 4194304 /dev/zero | tr '\\0' x", logging: "stderr" },
      { name: "line" },
    );
    const { code, output } = await bench.up(lines, line);
    expect(code, output.slice(-2000)).toBe(0);
    const length = (name: string) => String(bench.stateOf(name)?.outputs?.stdout).length;
    expect([length("lines"), length("line")]).toEqual([16 * 262144 - 1, 4194304]);
  });

  // The real plugin hangs on a line of more than 64 KiB.
  test.runIf(standIn("command"))("may be one long line of a stream that is logged", async () => {
    const create = "head -c 4194304 /dev/zero | tr '\\0' x; echo; echo after";
    const { code, output } = await bench.up(remote(slayer, { create }, { name: "logged" }));
    expect(code, output.slice(-2000)).toBe(0);
    expect(String(bench.stateOf("logged")?.outputs?.stdout)).toHaveLength(4194304 + "\nafter".length);
  });
});

describe("an interrupted CLI", () => {
  test("waits for the command that runs and records it; the next run begins with the next one", async () => {
    const steps = [
      remote(slayer, { create: "echo begun >&2; sleep 2; echo first >>$HERE/did" }, { name: "running" }),
      remote(slayer, { create: "echo second >>$HERE/did" }, { name: "next", dependsOn: ["running"] }),
    ];
    bench.want({ resources: steps });
    const { child, run } = bench.project.start(["up", "--yes", "--skip-preview"], 60);
    await heard(child, run, "begun");
    child.kill("SIGINT");
    expect((await run).code).not.toBe(0);
    expect(taken(slayer)).toEqual(["first"]);
    const { code, output } = await bench.up(...steps);
    expect(code, output).toBe(0);
    expect(taken(slayer)).toEqual(["second"]);
  });
});

describe("a killed CLI", () => {
  test("leaves the command of its host running to its end, and the stack locked until a cancel", async () => {
    const create = "echo begun >&2; sleep 1; echo still here >&2; sleep 1; echo ended >>$HERE/did";
    bench.want({ resources: [remote(slayer, { create, logging: "stderr" }, { name: "orphan" })] });
    const { child, run } = bench.project.start(["up", "--yes", "--skip-preview"], 60);
    await heard(child, run, "begun");
    const below = childrenOf(child.pid ?? 0);
    child.kill("SIGKILL");
    await run;
    const did = join(slayer.folder, "did");
    for (const deadline = Date.now() + 20_000; !existsSync(did) && Date.now() < deadline;) await pause(100);
    expect(taken(slayer)).toEqual(["ended"]);
    // The real plugins never end by themselves.
    const alive = processes().map(({ pid }) => pid);
    for (const { pid } of below) if (alive.includes(pid)) process.kill(pid, "SIGKILL");

    const refused = await bench.project.up();
    expect(refused.output).toContain("the stack is currently locked by 1 lock(s)");
    await bench.project.pulumi(["cancel", "--yes"]);
    expect((await bench.up()).code).toBe(0);
  });
});

/** Resolves once the run has said this; a run that ends before fails the test. */
function heard(child: ChildProcess, run: Promise<Run>, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    void run.then(({ output }) => reject(new Error(output)));
    child.stdout?.on("data", (data: Buffer) => {
      if (data.toString().includes(text)) resolve();
    });
  });
}
