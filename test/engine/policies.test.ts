import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lineOf } from "../../policies/production/evidence.ts";
import { lookedFile } from "../../config/last-look.ts";
import { Project } from "../support/engine.ts";
import { failed, ok } from "./two-hosts.ts";

const root = join(import.meta.dirname, "..", "..");

/** A repository in a folder, with an author of its own. */
const gitIn =
  (folder: string) =>
  (...words: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...words], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });

describe("a line of the stack file", () => {
  const folder = mkdtempSync(join(tmpdir(), "changeover-line-"));
  const git = gitIn(folder);
  const file = join(folder, "Pulumi.prod.yaml");
  const write = (production: string, rest = "") => {
    writeFileSync(
      file,
      `config:\n  changeover:pairs:\n    sounz:\n      production: ${production}\n      maxLagMiB: 16${rest}\n`,
    );
  };
  const reason = () => lineOf(file, "sounz", "production")?.commit?.reason;

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it("is in no commit without a repository, before it is committed, and when it is changed again", () => {
    expect(lineOf(file, "sounz", "production")).toBeUndefined();
    write("slayer");
    expect(lineOf(file, "sounz", "production")).toEqual({ place: "Pulumi.prod.yaml:4" });
    git("init", "--quiet", "--initial-branch", "main");
    expect(lineOf(file, "sounz", "production")).toEqual({ place: "Pulumi.prod.yaml:4" });
    git("add", ".");
    git("commit", "--message", "Begin", "--trailer", "Reason: the first one");
    expect(reason()).toBe("the first one");
    write("megadeth");
    expect(lineOf(file, "sounz", "production")).toEqual({ place: "Pulumi.prod.yaml:4" });
  });

  it("has the reason of the commit that wrote it, whatever was committed or merged later", () => {
    git("checkout", "--quiet", "-b", "flip");
    git("commit", "--all", "--message", "Switch", "--trailer", "Reason: new memory in slayer");
    write("megadeth", "\n      synchronous: true");
    git("commit", "--all", "--message", "Synchronous");
    git("checkout", "--quiet", "main");
    git("merge", "--no-ff", "--message", "Merge", "flip");
    expect(reason()).toBe("new memory in slayer");
  });

  it("has no reason when its own commit gives none, or only speaks of one", () => {
    write("slayer");
    git("commit", "--all", "--message", "Back\n\nReason: is in the middle.\n\nThe end.");
    expect(lineOf(file, "sounz", "production")?.commit).toEqual({
      id: git("rev-parse", "HEAD").slice(0, 10),
    });
    expect(lineOf(file, "sounz", "acceptDataLoss")).toBeUndefined();
    expect(lineOf(file, "other", "production")).toBeUndefined();
  });
});

// A state with a pair, and its stack file, without a host: a preview dials nothing.
describe("the policy pack of production", () => {
  const project = new Project(root);
  const data = join(project.folder, "data");
  project.env.XDG_DATA_HOME = data;
  const stackFile = join(project.folder, "Pulumi.test.yaml");
  const told = readFileSync(join(import.meta.dirname, "before", "prod.yaml"), "utf8");
  const switched = told.replace("production: slayer", "production: megadeth");
  const risky = switched.replace("production: megadeth", '$&\n      acceptDataLoss: "3: the disk is gone"');
  const git = gitIn(project.folder);
  const preview = () => project.pulumi(["preview", "--policy-pack", "policies/production"], 120);

  beforeAll(async () => {
    const pack = join("policies", "production");
    cpSync(join(root, pack), join(project.folder, pack), { recursive: true });
    for (const used of ["node_modules", "transition", "config"])
      symlinkSync(join(root, used), join(project.folder, used));
    ok(await project.pulumi(["stack", "init", "test"]));
    const state = join(project.folder, "before.json");
    writeFileSync(state, gunzipSync(readFileSync(join(import.meta.dirname, "before", "prod.json.gz"))));
    ok(await project.pulumi(["stack", "import", "--file", state]));
    writeFileSync(stackFile, told);
    git("init", "--quiet");
    git("add", "Pulumi.test.yaml");
    git("commit", "--message", "Begin");
  });
  afterAll(() => {
    project.remove();
  });

  it("passes a production that stays, without a reason or a look", async () => {
    const run = await preview();
    ok(run);
    expect(run.output).toMatch(/✅ changeover-production@v/);
  });

  it("refuses a new production and a line that permits loss, with what to do", async () => {
    writeFileSync(stackFile, risky);
    const run = await preview();
    failed(run);
    for (const line of [
      "sounz: production changes from slayer to megadeth without a reason or a fresh look",
      "Pulumi.test.yaml:24 is in no commit",
      "no look is kept",
      "look now: npm run look -- --stack test",
      "sounz: acceptDataLoss is set without a reason in the commit",
      "Pulumi.test.yaml:25 is in no commit",
      'git commit Pulumi.test.yaml --trailer "Reason: …"',
    ])
      expect(run.output).toContain(line);
  });

  it("passes both with a reason in the commit", async () => {
    git("commit", "--all", "--message", "Switch", "--trailer", "Reason: new memory in slayer");
    ok(await preview());
  });

  it("passes a new production right after a look", async () => {
    writeFileSync(stackFile, switched.replace("production: megadeth", "production: megadeth # at night"));
    const { resources } = await project.state();
    const id = resources.find(({ urn }) => urn.endsWith("RandomId::stack"))?.outputs?.hex;
    const file = lookedFile(String(id), { XDG_DATA_HOME: data });
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify({ at: Date.now() - 60_000, by: "ops@desk", entries: [] }));
    ok(await preview());
  });

  it("refuses what it cannot judge: the state cannot be read", async () => {
    const { PATH } = project.env;
    const bin = join(project.folder, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "pulumi"), "#!/bin/sh\necho 'no state today' >&2\nexit 1\n", { mode: 0o755 });
    project.env.PATH = [bin, PATH].join(delimiter);
    const run = await preview();
    project.env.PATH = PATH;
    failed(run);
    expect(run.output).toContain(
      "sounz: the state of test cannot be read, and a new production cannot be seen",
    );
    expect(run.output).toContain("no state today");
  });
});
