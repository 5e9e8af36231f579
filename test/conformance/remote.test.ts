import type { ChildProcess } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Run } from "../support/engine.ts";
import { Bench, local, planned, remote, taken, type TestHost } from "./bench.ts";
import { standIn } from "./plugins.ts";

let bench: Bench;
let slayer: TestHost;
let megadeth: TestHost;

const steps = [
  "connection",
  "create",
  "update",
  "delete",
  "stdin",
  "environment",
  "logging",
  "addPreviousOutputInEnv",
];

beforeAll(async () => {
  bench = await Bench.start();
  slayer = await bench.host("slayer", ["AcceptEnv ALLOWED PULUMI_COMMAND_STDOUT"]);
  megadeth = await bench.host("megadeth");
});

afterAll(() => bench.stop());

describe("a remote command", () => {
  test("runs at creation, keeps what it said without the last line's end, and is then left alone", async () => {
    const wanted = remote(slayer, {
      create: "echo ran >>$HERE/did; printf 'one\\n\\ntwo\\n\\n'; printf 'err\\n' >&2; cat >>$HERE/did",
      stdin: "from stdin\n",
      triggers: [{ goal: "slayer" }],
    });
    const first = await bench.up(wanted);
    expect(first.output).toContain("2 created");
    expect(taken(slayer)).toEqual(["ran", "from stdin"]);
    expect(bench.stateOf("it")?.outputs).toMatchObject({ stdout: "one\n\ntwo\n", stderr: "err" });

    const dials = slayer.sshd.dials();
    const second = await bench.up(wanted);
    expect(second.code, second.output).toBe(0);
    expect(second.output).toContain("2 unchanged");
    expect(slayer.sshd.dials()).toBe(dials);
  });

  test("shows a changed trigger by its path and what it was, and its outputs as unknown", async () => {
    const wanted = remote(slayer, { create: "true", triggers: [{ goal: "megadeth" }] });
    const follower = local({ create: "true", triggers: [{ $ref: "it.stdout" }] }, { name: "follower" });
    const dials = slayer.sshd.dials();
    const plan = await bench.preview(wanted, follower);
    expect(planned(plan, "it")).toBe("replace");
    const replaced = plan.find(({ op, urn }) => op === "replace" && urn.endsWith("::it"));
    expect(replaced?.detailedDiff).toMatchObject({
      "triggers[0].goal": { kind: "update-replace" },
      create: { kind: "update" },
      stdin: { kind: "delete" },
    });
    const seen = plan.find(({ urn }) => urn.endsWith("::follower"))?.newState?.inputs;
    expect(seen?.triggers).toEqual(["04da6b54-80e4-46f7-96ec-b56ff0331ba9"]);
    expect(slayer.sshd.dials()).toBe(dials);
    const { output } = await bench.project.pulumi(["preview", "--diff"]);
    expect(output).toContain('goal: "slayer" => "megadeth"');
  });

  test("with only its triggers observed, takes the new connection, create and stdin when they change, and nothing else runs it", async () => {
    const opts = { name: "step", ignoreChanges: steps, retainOnDelete: true };
    const args = { create: "echo old >>$HERE/did", delete: "echo gone >>$HERE/did", stdin: "a" };
    taken(slayer);
    await bench.up(remote(slayer, { ...args, triggers: ["a"] }, opts));
    expect(taken(slayer)).toEqual(["old"]);
    const changed = { create: "echo new >>$HERE/did; cat >>$HERE/did", stdin: "b\n", logging: "none" };

    const ignored = await bench.up(remote(megadeth, { ...changed, triggers: ["a"] }, opts));
    expect(ignored.output).toContain("2 unchanged");
    expect([...taken(slayer), ...taken(megadeth)]).toEqual([]);

    await bench.up(remote(megadeth, { ...changed, triggers: ["b"] }, opts));
    expect(taken(slayer)).toEqual([]);
    expect(taken(megadeth)).toEqual(["new", "b"]);
  });

  test("that fails at creation says all it said, leaves nothing in the state and runs again", async () => {
    const fails = remote(slayer, { create: "echo out; echo err >&2; exit 75" }, { name: "fails" });
    const first = await bench.up(fails);
    expect(first.code).not.toBe(0);
    expect(first.output).toContain("Process exited with status 75");
    expect(first.output).toMatch(/running "echo out; echo err >&2; exit 75":\s+(out\s+err|err\s+out)/);
    expect(bench.stateOf("fails")).toBeUndefined();
    const again = await bench.up(remote(slayer, { create: "echo well" }, { name: "fails" }));
    expect(again.code, again.output).toBe(0);
    expect(bench.stateOf("fails")?.outputs?.stdout).toBe("well");
  });

  test("that fails as a replacement keeps the old one, and is replaced by the next run", async () => {
    const step = (create: string, goal: string) =>
      remote(slayer, { create, triggers: [goal] }, { name: "flip" });
    await bench.up(step("echo first", "a"));
    const failed = await bench.up(step("exit 3", "b"));
    expect(failed.code).not.toBe(0);
    expect(bench.stateOf("flip")?.outputs).toMatchObject({ stdout: "first", triggers: ["a"] });
    const resumed = await bench.up(step("echo second", "b"));
    expect(resumed.output).toContain("1 replaced");
    expect(bench.stateOf("flip")?.outputs).toMatchObject({ stdout: "second", triggers: ["b"] });
  });

  test("updated in place runs update, else create; failing, it keeps the old state", async () => {
    const step = (args: object) => remote(slayer, { ...args, triggers: ["same"] }, { name: "updated" });
    await bench.up(step({ create: "echo one" }));
    const plain = await bench.up(step({ create: "echo two" }));
    expect(plain.output).toContain("1 updated");
    expect(bench.stateOf("updated")?.outputs?.stdout).toBe("two");
    await bench.up(step({ create: "echo three", update: "echo by update" }));
    expect(bench.stateOf("updated")?.outputs?.stdout).toBe("by update");

    const failed = await bench.up(step({ create: "echo four", update: "echo cannot; exit 1" }));
    expect(failed.output).toContain("cannot");
    expect(bench.stateOf("updated")?.outputs).toMatchObject({
      create: "echo three",
      stdout: "by update",
    });
  });

  test("without a command dials nothing, whatever becomes of it", async () => {
    const nowhere = { ...slayer.connection, port: 1 };
    const step = (goal: string) =>
      remote(slayer, { connection: nowhere, triggers: [goal] }, { name: "idle" });
    const [made, changed] = [await bench.up(step("a")), await bench.up(step("b"))];
    const dropped = await bench.up();
    expect([made.code, changed.code, dropped.code], made.output + changed.output).toEqual([0, 0, 0]);
    expect(changed.output).toContain("1 replaced");
  });

  test("is deleted by its stored command on its stored connection; a failing one stays and stops the run", async () => {
    const step = (command: string) =>
      remote(slayer, { create: "echo made", delete: command }, { name: "held" });
    await bench.up(step("echo no >>$HERE/did; exit 9"));
    const stuck = await bench.up();
    expect(stuck.code).not.toBe(0);
    expect(stuck.output).toContain("Process exited with status 9");
    expect(bench.stateOf("held")).toBeDefined();
    await bench.up(step("echo bye >>$HERE/did"));
    taken(slayer);
    const gone = await bench.up();
    expect(gone.code, gone.output).toBe(0);
    expect(taken(slayer)).toEqual(["bye"]);
  });

  test("killed on its host fails with the signal's name", async () => {
    const { output } = await bench.up(
      remote(slayer, { create: "echo before; kill -9 $$" }, { name: "killed" }),
    );
    expect(output).toContain("Process exited with status 137 from signal KILL");
    expect(output).toContain("before");
  });
});

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

describe("a killed CLI", () => {
  test("leaves the command of its host running to its end, and the stack locked until a cancel", async () => {
    const create = "echo begun >&2; sleep 1; echo still here >&2; sleep 1; echo ended >>$HERE/did";
    bench.want({ resources: [remote(slayer, { create, logging: "stderr" }, { name: "orphan" })] });
    const { child, run } = bench.project.start(["up", "--yes", "--skip-preview"], 60);
    await heard(child, run, "begun");
    child.kill("SIGKILL");
    await run;
    const did = join(slayer.folder, "did");
    for (const deadline = Date.now() + 20_000; !existsSync(did) && Date.now() < deadline;) await pause(100);
    expect(taken(slayer)).toEqual(["ended"]);

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
