import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Run } from "../support/engine.ts";
import { Bench, type Entry, local, planned, remote, taken, type TestHost } from "./bench.ts";
import type { WantedResource } from "./wanted.ts";

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
  slayer = await bench.host("slayer");
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

  test("without a command dials nothing, whatever becomes of it", async () => {
    const nowhere = { ...slayer.connection, port: 1 };
    const step = (goal: string) =>
      remote(slayer, { connection: nowhere, triggers: [goal] }, { name: "idle" });
    const [made, changed] = [await bench.up(step("a")), await bench.up(step("b"))];
    const dropped = await bench.up();
    expect([made.code, changed.code, dropped.code], made.output + changed.output).toEqual([0, 0, 0]);
    expect(changed.output).toContain("1 replaced");
  });
});

describe("remote commands of which some fail", () => {
  const step = (name: string, args: Record<string, unknown>) => remote(slayer, args, { name });
  const runs: Run[] = [];

  /** What the failing run found and what it left. */
  let left: Map<string, Entry | undefined>;

  beforeAll(async () => {
    const names = ["new", "flip", "changed", "updated", "held"];
    const run = async (...resources: WantedResource[]) => {
      bench.want({ resources });
      runs.push(await bench.project.up("--continue-on-error"));
    };
    const first = [
      step("flip", { create: "echo first", triggers: ["a"] }),
      step("changed", { create: "echo one" }),
      step("updated", { create: "echo one" }),
    ];
    await run(...first, step("held", { create: "echo made", delete: "echo no; exit 9" }));
    await run(...first);
    await run(
      step("new", { create: "echo out; echo err >&2; exit 75" }),
      step("killed", { create: "echo before; kill -9 $$" }),
      step("dropped", { create: "echo before; kill -9 $PPID; sleep 5" }),
      step("flip", { create: "exit 3", triggers: ["b"] }),
      step("changed", { create: "echo two; exit 4" }),
      step("updated", { create: "echo two", update: "echo cannot; exit 5" }),
    );
    left = new Map(names.map((name) => [name, bench.stateOf(name)]));
    await run(
      step("new", { create: "echo well" }),
      step("flip", { create: "echo second", triggers: ["b"] }),
      step("changed", { create: "echo two" }),
      step("updated", { create: "echo two", update: "echo by update" }),
      step("held", { create: "echo made", delete: "echo bye >>$HERE/did" }),
    );
    taken(slayer);
    await run();
  });

  const failing = () => runs[2]?.output ?? "";

  test("say all that they said, and how they ended", () => {
    expect(runs.map(({ code }) => code === 0)).toEqual([true, false, false, true, true]);
    expect(failing()).toMatch(
      /Process exited with status 75: running "echo out; echo err >&2; exit 75":\s+(out\s+err|err\s+out)/,
    );
    expect(failing()).toMatch(
      /Process exited with status 137 from signal KILL: running "echo before; kill -9 \$\$":\s+before/,
    );
  });

  test("fail when the connection breaks, whatever has become of the command", () => {
    expect(failing()).toContain("wait: remote command exited without exit status or exit signal: running");
  });

  test("leave nothing in the state when new, and run again", () => {
    expect(left.get("new")).toBeUndefined();
    expect(runs[3]?.output).toMatch(/new created/);
  });

  test("keep the old one as a replacement, and are replaced by the next run", () => {
    expect(left.get("flip")?.outputs).toMatchObject({ stdout: "first", triggers: ["a"] });
    expect(runs[3]?.output).toMatch(/flip replaced/);
  });

  test("keep the old state as an update, and run again: update, else create", () => {
    expect(left.get("changed")?.outputs).toMatchObject({ create: "echo one", stdout: "one" });
    expect(left.get("updated")?.outputs).toMatchObject({ create: "echo one", stdout: "one" });
    expect(runs[3]?.output).toMatch(/changed updated .* two/);
    expect(runs[3]?.output).toMatch(/updated updated .* by update/);
  });

  test("stay when their deletion fails; it runs the command and the connection of the state", () => {
    expect(runs[1]?.output).toContain("Process exited with status 9");
    expect(left.get("held")).toBeDefined();
    expect(taken(slayer)).toEqual(["bye"]);
    expect(bench.resources().map(({ type }) => type)).not.toContain("command:remote:Command");
  });
});
