import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bench, type TestHost } from "./bench.ts";
import type { WantedResource } from "./wanted.ts";

let bench: Bench;
let slayer: TestHost;
let megadeth: TestHost;
let source: string;

beforeAll(async () => {
  bench = await Bench.start();
  slayer = await bench.host("slayer");
  megadeth = await bench.host("megadeth");
  source = join(bench.folder, "scripts");
  mkdirSync(join(source, "pair"), { recursive: true });
  mkdirSync(join(source, "empty"));
  for (let i = 0; i < 60; i++)
    writeFileSync(join(source, "pair", `step-${String(i)}.sh`), `echo ${String(i)}\n`);
  writeFileSync(join(source, "lib.sh"), "x".repeat(300_000));
  for (const host of [slayer, megadeth]) {
    mkdirSync(join(host.folder, "there"));
    writeFileSync(join(host.folder, "a-file"), "old and long text");
  }
});

afterAll(() => bench.stop());

function copy(
  host: TestHost,
  name: string,
  from: Record<string, string>,
  to: string,
  triggers?: unknown[],
): WantedResource {
  const args = { connection: host.connection, source: from, remotePath: join(host.folder, to), triggers };
  return { name, type: "remote.CopyToRemote", args };
}

const at = (host: TestHost, path: string) => readFileSync(join(host.folder, path), "utf8");

const all = (host: TestHost): WantedResource[] => {
  const [folder, file] = [{ $folder: source }, { $file: join(source, "pair", "step-7.sh") }];
  return [
    copy(host, "folder-new", folder, "new/deep", ["a"]),
    copy(host, "folder-into", folder, "there"),
    copy(host, "content", { $folder: `${source}/` }, "content"),
    copy(host, "file-new", file, "other/name.sh"),
    copy(host, "file-into", file, "there"),
    copy(host, "file-over", file, "a-file"),
    copy(host, "text", { $text: "some text\n" }, "made/for/text"),
  ];
};

test("a folder goes into its place, its content alone after a slash; a file goes into a folder, or takes the name", async () => {
  const { code, output } = await bench.up(...all(slayer));
  expect(code, output).toBe(0);
  expect(readdirSync(join(slayer.folder, "new/deep/scripts/pair")).length).toBe(60);
  expect(at(slayer, "new/deep/scripts/lib.sh")).toHaveLength(300_000);
  expect(readdirSync(join(slayer.folder, "there/scripts")).sort()).toEqual(["empty", "lib.sh", "pair"]);
  expect(readdirSync(join(slayer.folder, "content")).sort()).toEqual(["empty", "lib.sh", "pair"]);
  expect(["other/name.sh", "there/step-7.sh", "a-file"].map((path) => at(slayer, path))).toEqual(
    Array.from({ length: 3 }, () => "echo 7\n"),
  );
  expect(at(slayer, "made/for/text")).toBe("some text\n");
});

test("unchanged, nothing is dialled; a changed connection alone copies nothing, a changed file copies anew", async () => {
  const dials = slayer.sshd.dials();
  expect((await bench.up(...all(slayer))).output).toContain("8 unchanged");
  expect(slayer.sshd.dials()).toBe(dials);

  const moved = all(slayer).map(({ args, ...rest }) => ({
    ...rest,
    args: { ...args, connection: megadeth.connection },
  }));
  expect((await bench.up(...moved)).output).toContain("7 updated");
  expect(megadeth.sshd.dials()).toBe(0);

  writeFileSync(join(source, "pair", "step-8.sh"), "echo eight\n");
  expect((await bench.up(...all(slayer))).output).toContain("7 updated");
  expect(at(slayer, "new/deep/scripts/pair/step-8.sh")).toBe("echo eight\n");
});

test("a changed trigger copies to where the connection leads now", async () => {
  const moved = all(megadeth).slice(0, 1);
  const changed = moved.map(({ args, ...rest }) => ({ ...rest, args: { ...args, triggers: ["b"] } }));
  const { code, output } = await bench.up(...changed);
  expect(code, output).toBe(0);
  expect(at(megadeth, "new/deep/scripts/pair/step-8.sh")).toBe("echo eight\n");
});

test("what cannot be copied fails and is not recorded", async () => {
  bench.want({
    resources: [
      copy(slayer, "folder-over-file", { $folder: source }, "a-file"),
      copy(slayer, "text-over-folder", { $text: "x" }, "there"),
      copy(slayer, "below-a-file", { $text: "x" }, "a-file/below"),
    ],
  });
  const { code, output } = await bench.project.up("--continue-on-error");
  expect(code).not.toBe(0);
  expect(output).toContain("there is a directory; when using a text asset, remotePath must be a file path");
  for (const name of ["folder-over-file", "text-over-folder", "below-a-file"])
    expect(bench.stateOf(name), name).toBeUndefined();
});
