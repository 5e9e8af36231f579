import {
  appendFileSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Host } from "../../platforms/platform.ts";
import { readScripts } from "../../transition/scripts.ts";
import { installOf, readSoftware, softwareProblems } from "../../transition/software.ts";
import { softwareCopy } from "../../transition/step.ts";
import { declaredFor, declaredIn } from "../support/declared.ts";
import { type Declared, declaredBy } from "../support/mocks.ts";
import { committedStack } from "../support/stack-file.ts";

const root = join(import.meta.dirname, "..", "..");
const copies = (declared: readonly Declared[]) =>
  declared.filter(({ type, name }) => type.includes("CopyToRemote") && name.includes("-software-"));

/** Systems without software, which would declare hundreds of resources. */
const nothingElse = { appPools: {}, sharedVolumes: {}, caches: {} };

let project: string;
const write = (path: string, text = "") => {
  mkdirSync(join(project, path, ".."), { recursive: true });
  writeFileSync(join(project, path), text);
};
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "changeover-software-"));
});
afterEach(() => {
  rmSync(project, { recursive: true });
});

describe("what every host gets", () => {
  it("is scripts/ alone: no site of the demonstration, and at most 1.25 MB", () => {
    const files = globSync("**/*", { cwd: join(root, "scripts") }).map((path) =>
      statSync(join(root, "scripts", path)),
    );
    const bytes = files.filter((file) => file.isFile()).reduce((sum, { size }) => sum + size, 0);
    expect(bytes).toBeGreaterThan(100_000);
    expect(bytes).toBeLessThan(1_250_000);
    expect(globSync("**/*{demo,sounz,scalr,crossbow}*", { cwd: join(root, "scripts") })).toEqual([]);
  });

  it("is the same release whatever is edited below demo/, which has a release of its own", () => {
    cpSync(join(root, "demo", "sounz"), join(project, "demo", "sounz"), { recursive: true });
    cpSync(join(root, "scripts"), join(project, "scripts"), { recursive: true });
    const before = [
      readScripts(join(project, "scripts")).release,
      readSoftware("demo/sounz", project).release,
    ];
    appendFileSync(join(project, "demo", "sounz", "app.py"), "# edited\n");
    expect(readScripts(join(project, "scripts")).release).toBe(before[0]);
    expect(readSoftware("demo/sounz", project).release).not.toBe(before[1]);
  });
});

describe("software", { timeout: 60_000 }, () => {
  it("is copied to the hosts that name it and to no other, and its step comes after the copy", async () => {
    const declared = await declaredIn("Pulumi.dev.yaml", nothingElse);
    const { stagedUpgrades } = committedStack("Pulumi.dev.yaml") as {
      stagedUpgrades: { scalr: { hosts: object } };
    };
    expect(
      copies(declared)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(
      [
        "megadeth-software-sounz",
        "slayer-software-sounz",
        ...Object.keys(stagedUpgrades.scalr.hosts).map((host) => `${host}-software-scalr`),
      ].sort(),
    );
    const { release } = readSoftware("demo/sounz", root);
    const [copy] = copies(declared).filter(({ name }) => name === "slayer-software-sounz");
    expect(copy?.inputs.triggers).toEqual([{ release, machine: "slayer-machine" }]);
    expect(copy?.inputs.remotePath).toBe(`/opt/changeover/software/${release}`);
    expect(copy?.retainOnDelete).toBe(true);
    expect(copy?.dependsOn).toEqual(["slayer-scripts"]);
    const step = declared.find(({ name }) => name === "sounz-provision-software-sounz-slayer");
    expect(step?.dependsOn).toContain("slayer-software-sounz");
    expect(step?.dependsOn).not.toContain("megadeth-software-sounz");
    expect(step?.inputs.create).toMatch(
      new RegExp(
        `^bash /opt/changeover/\\w+/scripts/step.sh sounz provision \\S* 900 software/${release}/sounz/install sounz$`,
      ),
    );
  });

  it("is not copied to a host that is unreachable, nor at all when no system names it", async () => {
    const { pairs, ...dev } = committedStack("Pulumi.dev.yaml") as { pairs: { sounz: object } };
    const others = { ...dev, ...nothingElse, stagedUpgrades: {} };
    const keys = { ...others, pairs, unreachable: ["megadeth"] };
    expect(copies(await declaredFor(keys)).map(({ name }) => name)).toEqual(["slayer-software-sounz"]);
    const without = { sounz: { ...pairs.sounz, software: undefined } };
    expect(copies(await declaredFor({ ...others, pairs: without }))).toEqual([]);
  });

  it("has one copy on a host however many systems name it, and two of one name are told apart", async () => {
    for (const folder of ["a/site", "b/site"]) write(`${folder}/install.sh`, folder);
    const ssh = pulumi.output({ host: "192.0.2.1", port: 22, user: "admin", hostKey: "ssh-ed25519 AAAA" });
    const host: Host = {
      name: "web",
      ssh,
      identity: pulumi.output("1"),
      address: pulumi.output("192.0.2.1"),
      ready: [],
    };
    const { declared } = await declaredBy(() => {
      for (const named of ["a/site", "b/site", "a/site", join(project, "b/site")])
        softwareCopy(host, readSoftware(named, project));
    });
    expect(copies(declared).map(({ name }) => name)).toEqual([
      "web-software-site",
      expect.stringMatching(/^web-software-site-[0-9a-f]{6}$/),
    ]);
    expect(copies(declared)[1]?.dependsOn).toEqual(["web-software-site"]);
    const paths = copies(declared).map(({ inputs }) => inputs.remotePath);
    expect(paths).toEqual(
      ["a/site", "b/site"].map((folder) => `.changeover/software/${readSoftware(folder, project).release}`),
    );
  });

  it("is a folder of the project, by a link too, or of another place", () => {
    write("elsewhere/site/install.sh");
    symlinkSync(join(project, "elsewhere", "site"), join(project, "linked"));
    const there = join(project, "elsewhere", "site");
    for (const named of ["elsewhere/site", "linked", there]) {
      const software = readSoftware(named, project);
      expect(software.folder).toBe(there);
      expect(installOf(software)).toBe(`software/${software.release}/site/install`);
    }
  });

  it("is refused with fact, path and cure when it is missing or does not install, for any system", () => {
    write("deploy/site/readme", "");
    write("file", "");
    const problems = softwareProblems(
      {
        platform: "local",
        absent: ["x"],
        pairs: { sounz: { software: "deploy/site" }, other: {} },
        appPools: { crossbow: { software: "deploy/none" } },
        stagedUpgrades: { scalr: { software: "file" } },
      },
      project,
    );
    const allowed = "allowed: a folder of the project with install.sh, by its path from Pulumi.yaml";
    expect(problems).toEqual([
      {
        path: ["pairs", "sounz", "software"],
        text: `"deploy/site" has no install.sh (${project}/deploy/site/install.sh); ${allowed}; write it: demo/README.md says what it is told`,
      },
      {
        path: ["appPools", "crossbow", "software"],
        text: `"deploy/none" is not a folder (${project}/deploy/none); ${allowed}; make it, or take the line out`,
      },
      {
        path: ["stagedUpgrades", "scalr", "software"],
        text: `"file" is not a folder (${project}/file); ${allowed}; make it, or take the line out`,
      },
    ]);
    expect(() => readSoftware("deploy/none", project)).toThrow(/^software: "deploy\/none" is not a folder/);
  });

  it("has a name that is safe in names of units", () => {
    write("odd name/install.sh");
    symlinkSync(join(project, "odd name"), join(project, "site"));
    expect(softwareProblems({ pairs: { sounz: { software: "site" } } }, project)[0]?.text).toMatch(
      /^"site" is a link to folder "odd name"; allowed: a name of letters, /,
    );
  });
});
