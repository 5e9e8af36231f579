import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench, Project } from "../support/engine.ts";
import type { TestRow } from "./scenario.ts";
import { failed, ok } from "./two-hosts.ts";

/** What a project's `install.sh` does here: it leaves a trace of what it was told. */
const install = (version: string) => `#!/usr/bin/env bash
# Leave a trace.
. "$CHANGEOVER_SCRIPTS/lib.sh"
here=$(cd "$(dirname "\${BASH_SOURCE[0]}")" && pwd)
require_claim
printf '%s %s\\n' "$EPOCHREALTIME" "act ${version} $*, file $(<"$here/files/text"), secret $(cat)" >>"$CHANGEOVER_ROOT/trace"
receipt "site ${version}"
`;

describe("software of the project", () => {
  let bench: Bench;
  const write = (version: string) => {
    mkdirSync(join(bench.project.folder, "deploy", "site", "files"), { recursive: true });
    writeFileSync(join(bench.project.folder, "deploy", "site", "install.sh"), install(version));
    writeFileSync(join(bench.project.folder, "deploy", "site", "files", "text"), version);
  };
  const copied = (host: string): string[] => {
    const folder = join(bench.rootOf(host), "opt", "software");
    return existsSync(folder) ? readdirSync(folder) : [];
  };
  const row: TestRow = {
    phase: "software",
    on: "each",
    script: "deploy/site",
    software: true,
    stdin: "word",
  };
  const goal = (version: string) => ({ transitions: { roll: { rows: [row], goal: { version } } } });

  beforeAll(async () => {
    bench = await Bench.start(["a", "b"], { ...goal("1"), secret: "s3cret" });
    write("v1");
  });
  afterAll(() => bench.stop());

  it("is copied to the hosts that run it, and told by arguments, stdin and the scripts' folder", async () => {
    bench.set({ unreachable: ["b"] });
    bench.rows("roll", [{ ...row, mayBeSkipped: true }]);
    ok(await bench.project.up());
    expect(bench.acts()).toEqual(["v1 c software, file v1, secret s3cret@a"]);
    expect(copied("a").length).toBe(1);
    expect(copied("b")).toEqual([]);
    bench.set({ unreachable: [] });
    ok(await bench.project.up());
    expect(bench.acts()).toEqual(["v1 c software, file v1, secret s3cret@b"]);
  });

  it("is copied anew when it is edited and starts nothing; the next goal runs it as it is then", async () => {
    write("v2");
    ok(await bench.project.up());
    expect(bench.acts()).toEqual([]);
    expect(copied("a").length).toBe(2);
    bench.set(goal("2"));
    ok(await bench.project.up());
    expect(bench.acts().sort()).toEqual(
      ["a", "b"].map((host) => `v2 c software, file v2, secret s3cret@${host}`),
    );
  });

  it("is left on the hosts when nothing names it any more", async () => {
    const before = bench.connections();
    bench.rows("roll", []);
    ok(await bench.project.up());
    expect(bench.connections()).toBe(before);
    expect(copied("a").length).toBe(2);
    const { resources } = await bench.project.state();
    expect(resources.filter(({ urn }) => urn.includes("-software-"))).toEqual([]);
  });
});

describe("software that the project does not have", () => {
  const project = new Project(join(import.meta.dirname, "..", ".."));
  const refusal = (what: string) =>
    `Pulumi.test.yaml has 1 problem; nothing was touched:\n  changeover:pairs.sounz.software: ${what}`;
  afterAll(() => {
    project.remove();
  });

  it("is refused by a preview and an update, with its path and the cure", async () => {
    rmSync(join(project.folder, "demo"));
    ok(await project.pulumi(["stack", "init", "test"]));
    const text = [
      "config:",
      "  changeover:platform: local",
      "  changeover:hosts: { slayer: {}, megadeth: {} }",
      "  changeover:pairs:",
      '    sounz: { primary: slayer, secondary: megadeth, production: slayer, serviceAddress: ".46", software: demo/sounz }',
    ];
    writeFileSync(join(project.folder, "Pulumi.test.yaml"), `${text.join("\n")}\n`);
    for (const run of [await project.pulumi(["preview"]), await project.up()]) {
      failed(run);
      expect(run.output.replace(/\n +/g, "\n  ")).toContain(
        refusal(`"demo/sounz" is not a folder (${project.folder}/demo/sounz); allowed: `),
      );
    }
    mkdirSync(join(project.folder, "demo", "sounz"), { recursive: true });
    const run = await project.pulumi(["preview"]);
    failed(run);
    expect(run.output.replace(/\n +/g, "\n  ")).toContain(refusal('"demo/sounz" has no install.sh ('));
    expect(run.output).not.toMatch(/\n\s+at /);
  });
});
