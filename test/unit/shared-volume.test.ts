import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  bricksTable,
  mountTable,
  unmountTable,
  volumeHostTable,
} from "../../components/shared-volume/table.ts";
import { configProblems } from "../support/config-problems.ts";
import { asLine, declaredFor, inOrderOfGates } from "../support/declared.ts";
import { scratch } from "../support/estate.ts";

const scripts = join(import.meta.dirname, "..", "..", "scripts");
const gluster = join(scripts, "gluster");

const styles = {
  servers: ["prodapp01", "prodapp02"],
  arbiter: "crossbow",
  brick: "/data00/styles",
  mounts: {
    prodapp01: "/deploy/crossbow/shared/system/styles",
    prodapp02: "/deploy/crossbow/shared/system/styles",
  },
  owner: "expprodl",
};

const stack = (change: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  platform: "local",
  hosts: { prodapp01: {}, prodapp02: {}, prodapp03: {}, crossbow: {} },
  sharedVolumes: { styles: { ...styles, ...change } },
  ...more,
});

/** What is wrong, a line each without its place; empty: nothing. */
const wrong = (change: Record<string, unknown>, more: Record<string, unknown> = {}): string[] =>
  configProblems(stack(change, more)).map((line) => line.replace(/^changeover:sharedVolumes[.]styles/, ""));

describe("a shared volume in a stack file", () => {
  it("has three copies, or two and an arbiter", () => {
    expect(wrong({})).toEqual([]);
    expect(wrong({ servers: ["prodapp01", "prodapp02", "prodapp03"], arbiter: undefined })).toEqual([]);
    expect(wrong({ arbiter: undefined })).toEqual([
      ".servers: two copies can disagree, and no third vote decides; add a third server or an arbiter",
    ]);
    expect(wrong({ arbiter: "prodapp02" })).toEqual([
      '.arbiter: "prodapp02" is also a server; name a third host',
    ]);
    expect(wrong({ servers: ["prodapp01", "prodapp01"] })).toEqual([
      '.servers: "prodapp01" is listed twice; allowed: one brick of a volume on a host',
    ]);
  });

  it("has one brick only with a written reason [001-055] [001-061]", () => {
    const single = { servers: ["crossbow"], arbiter: undefined };
    expect(wrong(single)).toEqual([
      ".servers: one copy is lost when its server is lost; allowed: three servers, or two and an arbiter, or one with a reason in singleBrick",
    ]);
    expect(wrong({ ...single, singleBrick: "styles are in git as well" })).toEqual([]);
    expect(wrong({ singleBrick: "styles are in git as well" })).toEqual([
      ".singleBrick: allowed only for one server, but the volume has more; remove singleBrick",
    ]);
  });

  it("names hosts of the file, and none that leaves", () => {
    expect(wrong({ servers: ["prodapp01", "prodap02"] })).toEqual([
      '.servers[1]: "prodap02" is not a host in this file; allowed: prodapp01, prodapp02, prodapp03, crossbow; did you mean prodapp02?',
    ]);
    expect(wrong({}, { absent: ["crossbow"] })).toEqual([
      'changeover:absent[0]: "crossbow" is changeover:sharedVolumes.styles.arbiter; name another host there, or remove the entry, in the same change',
    ]);
  });

  it("keeps its folders apart: brick, mount, the folder that it replaces [001-060]", () => {
    expect(wrong({ mounts: { prodapp01: "/data00/styles/all" } })).toEqual([
      '.mounts.prodapp01: "/data00/styles/all" overlaps changeover:sharedVolumes.styles.brick (/data00/styles) on "prodapp01"; name folders that do not overlap',
    ]);
    expect(wrong({ replaces: "/deploy/crossbow/shared", copyFrom: "prodapp01" })).toHaveLength(1);
    expect(wrong({ replaces: "/deploy/crossbow/current/public/styles" })).toEqual([
      ".copyFrom: missing; name the host whose folder is copied to the volume",
    ]);
    const other = { sharedVolumes: { styles, docs: { ...styles, mounts: {} } } };
    expect(
      wrong({}, other).filter((line) => line.includes("overlaps changeover:sharedVolumes.")),
    ).not.toEqual([]);
  });
});

const book = async (keys: Record<string, unknown>) => {
  const declared = await declaredFor(keys);
  return inOrderOfGates(
    declared.flatMap((one) => asLine(one) ?? []),
    declared,
  );
};

describe("the run-book of a shared volume", () => {
  it("makes the brick at the path that the volume is created with [001-056] [001-057] [001-058] [001-060] [001-076]", async () => {
    const lines = await book(stack());
    const words = (name: string) =>
      / {2}\[(.*)\]$/.exec(lines.find((line) => line.startsWith(`${name} `)) ?? "")?.[1];
    expect(words("styles-volume-bricks-brick-prodapp01")).toBe("styles /data00/styles");
    expect(words("styles-volume-bricks-volume")).toBe(
      "styles data=192.0.2.1:/data00/styles data=192.0.2.2:/data00/styles arbiter=192.0.2.4:/data00/styles set=auth.allow=192.0.2.1,192.0.2.2,192.0.2.4 set=cluster.favorite-child-policy=none set=cluster.heal-timeout=60 set=cluster.quorum-type=auto set=cluster.server-quorum-type=none set=network.ping-timeout=5 set=nfs.disable=on set=performance.md-cache-timeout=0",
    );
  });

  it("has every server ready before a brick, every brick before a mount, and the copied host before the others [001-062] [001-066] [001-072]", async () => {
    const lines = await book(
      stack({ replaces: "/deploy/crossbow/current/public/styles", copyFrom: "prodapp02" }),
    );
    const at = (name: string) => {
      const index = lines.findIndex((line) => line.startsWith(name));
      expect(index, name).toBeGreaterThanOrEqual(0);
      return index;
    };
    for (const host of ["prodapp01", "prodapp02", "crossbow"])
      expect(at(`styles-${host}-provision-done`)).toBeLessThan(at("styles-volume-bricks-preflight"));
    expect(at("styles-volume-bricks-done")).toBeLessThan(at("styles-prodapp02-mount-client-preflight"));
    expect(at("styles-prodapp02-mount-client-done")).toBeLessThan(
      at("styles-prodapp01-mount-client-preflight"),
    );
    expect(at("styles-prodapp02-mount-client-copy")).toBeLessThan(at("styles-prodapp02-mount-client-link"));
    expect(lines.some((line) => line.startsWith("styles-prodapp01-mount-client-copy"))).toBe(false);
  });

  it("is for another mount that host's, and the servers' that let it in", async () => {
    const keepers = async (change: Record<string, unknown>) => {
      const declared = await declaredFor(stack(change));
      return new Map(
        declared.flatMap(({ name, inputs }) =>
          inputs.keepers ? [[name, JSON.stringify(inputs.keepers)]] : [],
        ),
      );
    };
    const before = await keepers({});
    const after = await keepers({ mounts: { ...styles.mounts, prodapp03: "/srv/styles" } });
    expect(
      [...after]
        .filter(([name, kept]) => before.get(name) !== kept)
        .map(([name]) => name)
        .sort(),
    ).toEqual([
      "styles-prodapp03-mount-client-id",
      "styles-prodapp03-provision-id",
      "styles-volume-bricks-id",
    ]);
  });

  it("names every script of the area, and every row's script is a file", () => {
    const rows = [
      volumeHostTable,
      bricksTable,
      mountTable("copies"),
      mountTable("none"),
      unmountTable,
    ].flat();
    const named = new Set(rows.map(({ script }) => `${script}.sh`));
    const files = globSync("gluster/*.sh", { cwd: scripts }).filter((file) => !/\/lib[^/]*\.sh$/.test(file));
    // A host goes out of service without a transition of the volume.
    expect(files.sort()).toEqual([...named, "gluster/retire.sh"].sort());
  });
});

type Bricks = readonly (readonly [role: "data" | "arbiter", brick: string])[];

/** `plan.py` asked about bricks that are and bricks that shall be. */
function planned(cases: readonly { now: Bricks; goal: Bricks }[]) {
  const program = `
import json, sys
sys.path.insert(0, ${JSON.stringify(gluster)}); sys.dont_write_bytecode = True
from plan import plan, why_not
pairs = lambda bricks: [tuple(one) for one in bricks]
print(json.dumps([{"steps": plan(pairs(one["now"]), pairs(one["goal"])), "why": why_not(pairs(one["now"]), pairs(one["goal"]))} for one in json.load(sys.stdin)]))`;
  const said = execFileSync("python3", ["-c", program], { input: JSON.stringify(cases), encoding: "utf8" });
  return JSON.parse(said) as { steps: [string, string, string | string[]][]; why: string | null }[];
}

const data = (...names: string[]): Bricks => names.map((name) => ["data", `${name}:/b`] as const);
const arbiter = (name: string): Bricks => [["arbiter", `${name}:/b`]];
const stepsOf = (now: Bricks, goal: Bricks) => planned([{ now, goal }])[0]?.steps;

describe("brick operations", () => {
  it("replace a brick in one act, so that there are never fewer copies", () => {
    expect(stepsOf([...data("a", "b"), ...arbiter("c")], [...data("a", "d"), ...arbiter("c")])).toEqual([
      ["replace", "b:/b", "d:/b"],
    ]);
  });

  it("go from one brick to three and back, one at a time", () => {
    expect(stepsOf(data("a"), [...data("a", "b"), ...arbiter("c")])).toEqual([
      ["add", "b:/b", ["replica", "2"]],
      ["add", "c:/b", ["replica", "3", "arbiter", "1"]],
    ]);
    expect(stepsOf([...data("a", "b"), ...arbiter("c")], data("a"))).toEqual([
      ["remove", "c:/b", ["replica", "2"]],
      ["remove", "b:/b", ["replica", "1"]],
    ]);
    expect(stepsOf([...data("a", "b"), ...arbiter("c")], data("a", "b", "d"))).toEqual([
      ["remove", "c:/b", ["replica", "2"]],
      ["add", "d:/b", ["replica", "3"]],
    ]);
  });

  it("are refused when none of the bricks would remain, or one would change what it is", () => {
    const [other, changed] = planned([
      { now: data("a"), goal: data("b") },
      { now: [...data("a", "b"), ...arbiter("c")], goal: [...data("a", "c"), ...arbiter("b")] },
    ]);
    expect(other?.why).toMatch(/^all bricks would change at once/);
    expect(changed?.why).toMatch(/^b:\/b, c:\/b would change between data and arbiter/);
  });

  it("lead from any legal volume to any other, never below the copies that both have", () => {
    const names = fc.shuffledSubarray(["a", "b", "c", "d", "e"], { minLength: 3, maxLength: 3 });
    const legal = fc
      .tuple(names, fc.constantFrom("three", "arbiter", "one"))
      .map(([[x = "", y = "", z = ""], kind]): Bricks =>
        kind === "one" ? data(x) : kind === "three" ? data(x, y, z) : [...data(x, y), ...arbiter(z)],
      );
    const cases = fc.sample(fc.record({ now: legal, goal: legal }), 300);
    const plans = planned(cases);
    const key = (bricks: Bricks) => bricks.map((one) => one.join(" ")).sort();
    const copies = (bricks: Bricks) => bricks.filter(([role]) => role === "data").length;
    let followed = 0;
    cases.forEach(({ now, goal }, index) => {
      const { steps = [], why } = plans[index] ?? {};
      if (why) return;
      followed++;
      let bricks = [...now];
      for (const [kind, brick, what] of steps) {
        if (kind === "replace")
          bricks = bricks.map(([role, name]) => [role, name === brick ? String(what) : name]);
        else if (kind === "remove") bricks = bricks.filter(([, name]) => name !== brick);
        else bricks = [...bricks, [what.includes("arbiter") ? "arbiter" : "data", brick]];
        if (kind !== "replace") expect(Number(what[1])).toBe(bricks.length);
        expect(copies(bricks)).toBeGreaterThanOrEqual(Math.min(copies(now), copies(goal)));
      }
      expect(key(bricks)).toEqual(key(goal));
    });
    expect(followed).toBeGreaterThan(50);
  });
});

describe("on this machine", () => {
  const folders: { path: string; remove: () => void }[] = [];
  const folder = () => {
    const made = scratch("changeover-volume-");
    folders.push(made);
    return made.path;
  };
  afterEach(() => {
    for (const made of folders.splice(0)) made.remove();
  });

  const me = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
  const compare = (how: string, source: string, copy: string, owner = me) =>
    spawnSync("python3", [join(gluster, "compare-folders.py"), how, source, copy, owner], {
      encoding: "utf8",
    });

  it("a copy is verified by count, size, checksum and mode, and by owner [001-068] [001-069] [001-070] [001-071] [001-081]", () => {
    const [source, copy] = [folder(), folder()];
    for (const at of [source, copy]) {
      mkdirSync(join(at, "a"));
      writeFileSync(join(at, "a", "one.css"), "one");
      symlinkSync("one.css", join(at, "a", "link.css"));
    }
    mkdirSync(join(copy, ".changeover"));
    expect(compare("equal", source, copy)).toMatchObject({
      status: 0,
      stdout: `3 files and folders, 3 bytes, equal by checksum and mode, all owned by ${me}.${me}\n`,
    });
    writeFileSync(join(copy, "a", "two.css"), "two");
    expect(compare("held", source, copy).status).toBe(0);
    expect(compare("equal", source, copy)).toMatchObject({ status: 77 });
    writeFileSync(join(copy, "a", "one.css"), "eno");
    writeFileSync(join(source, "three.css"), "three", { mode: 0o600 });
    const { status, stderr } = compare("held", source, copy);
    expect(status).toBe(77);
    expect(stderr).toContain("'three.css' is missing");
    expect(stderr).toContain("'a/one.css' differs in content");
    expect(compare("held", source, copy, "nobody").stderr).toContain("not to nobody.nobody");
  });

  it("a bare folder is critical for the check of the mount, and a host that knows no mount is unknown [001-099] [001-152]", () => {
    const [mounts, path] = [folder(), folder()];
    mkdirSync(join(path, ".changeover"));
    writeFileSync(join(path, ".changeover", "volume"), "volume=styles\nid=1\n");
    writeFileSync(join(mounts, "styles"), `path=${path}\nowner=${me}\nservers=127.0.0.1\nid=1\n`);
    const state = join(mounts, "state");
    const check = (volume: string) =>
      spawnSync("python3", [join(gluster, "mount-check.py"), volume, "--state", state], {
        encoding: "utf8",
        env: { ...process.env, CHANGEOVER_MOUNTS: mounts },
      });
    expect(check("styles")).toMatchObject({
      status: 2,
      stdout: `MOUNT CRITICAL - ${path} is a bare folder: styles is not mounted\n`,
    });
    expect(execFileSync("cat", [state], { encoding: "utf8" })).toMatch(
      /^code=2\nline=MOUNT CRITICAL[^]*\nsince=/,
    );
    expect(check("docs").status).toBe(3);
    expect(existsSync(state)).toBe(true);
  });

  it("processes that use a folder are listed, and no others", async () => {
    const path = folder();
    writeFileSync(join(path, "open.css"), "");
    const users = () =>
      execFileSync("python3", [join(scripts, "users.py"), path], { encoding: "utf8" }).trim();
    expect(users()).toBe("");
    const { spawn } = await import("node:child_process");
    const reader = spawn("tail", ["-f", join(path, "open.css")], { stdio: "ignore" });
    try {
      await expect.poll(users).toBe(`${String(reader.pid)} tail`);
    } finally {
      reader.kill();
    }
  });

  const places = (...words: string[]) =>
    execFileSync("python3", ["-I", join(gluster, "places.py"), me, ...words], { encoding: "utf8" });

  it("a folder and a link change places in one act", () => {
    const at = folder();
    mkdirSync(join(at, "styles"));
    writeFileSync(join(at, "styles", "a"), "a");
    symlinkSync("/elsewhere", join(at, "link"));
    places("exchange", join(at, "styles"), join(at, "link"));
    expect(execFileSync("readlink", [join(at, "styles")], { encoding: "utf8" })).toBe("/elsewhere\n");
    expect(existsSync(join(at, "link", "a"))).toBe(true);
  });
});
