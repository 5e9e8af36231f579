import { execFile } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tables } from "../support/examples.ts";

const scripts = join(import.meta.dirname, "..", "..", "scripts");
const areas = globSync("*/*", { cwd: scripts })
  .map((path) => dirname(path))
  .filter((area, index, all) => all.indexOf(area) === index && !area.startsWith("__"))
  .sort();
const text = (path: string) => readFileSync(join(scripts, path), "utf8");

describe("the areas of the scripts", () => {
  it("have a retire.sh each, when a row of a table names one", () => {
    const rows = Object.values(tables).flatMap(({ table }) => table);
    const named = rows
      .filter(({ by = "host", software }) => by === "host" && !software)
      .map(({ script }) => script.split("/")[0] ?? "");
    expect([...new Set(named)].sort()).toEqual(areas);
    for (const area of areas) expect(existsSync(join(scripts, area, "retire.sh")), area).toBe(true);
  });

  it("are not named by the script that asks them all, nor by what they share", () => {
    for (const area of areas) {
      const word = new RegExp(`\\b${area}s?\\b`, "i");
      expect(text("retire.sh"), area).not.toMatch(word);
      expect(text("lib-retire.sh"), area).not.toMatch(word);
    }
    expect(text("lib-retire.sh").split("\n").length).toBeLessThan(60);
  });
});

/** A host whose root, units, processes and mounts are a test's. */
describe("a host that goes out of service", { timeout: 30_000 }, () => {
  let folder: string;
  let root: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "changeover-retire-"));
    root = join(folder, "root");
    mkdirSync(root);
    mkdirSync(join(folder, "bin"));
    program(
      "systemctl",
      '[[ $1 != list-units ]] || cat "$FAKE/listed"; [[ $1 != is-active ]] || grep -qx "${*: -1}" "$FAKE/active"',
    );
    program("pgrep", 'grep -qx "${*: -1}" "$FAKE/processes"');
    program("findmnt", 'cat "$FAKE/mounts"');
    program("nft", "exit 1");
    for (const list of ["active", "listed", "processes", "mounts"]) put(list);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const program = (name: string, bash: string) => {
    writeFileSync(join(folder, "bin", name), `#!/usr/bin/env bash\n${bash}\n`);
    chmodSync(join(folder, "bin", name), 0o755);
  };
  const put = (path: string, content = "") => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  const run = (script: string, ...words: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const env = {
        ...process.env,
        PATH: `${join(folder, "bin")}:${process.env.PATH ?? ""}`,
        FAKE: folder,
        CHANGEOVER_ROOT: root,
        CHANGEOVER_UPGRADES: join(folder, "upgrades"),
      };
      execFile("bash", [script, ...words], { env }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  const retire = (...words: string[]) => run(join(scripts, "retire.sh"), ...words);
  const area = async (name: string, act: "look" | "leave") => {
    const { code, stdout, stderr } = await run(join(scripts, name, "retire.sh"), "web", "ours", act);
    expect(code, stderr).toBe(0);
    return stdout;
  };

  /** By area: what runs of it here, what is said of that, and what ends it. */
  const running: Record<string, { prepare: () => void; says: string; end: () => void }> = {
    apache: {
      prepare: () => {
        put("root/crossbow/apache/binds", "192.0.2.1:80\n");
        put("active", "apache2\n");
      },
      says: "serves pool crossbow with Apache; move its addresses to other hosts, then: systemctl disable --now apache2",
      end: () => {
        put("active");
      },
    },
    app: {
      prepare: () => {
        put("root/crossbow/staged/4683", "");
        put("active", "crossbow\n");
      },
      says: "runs the application of pool crossbow; set the server to out, then: systemctl disable --now crossbow",
      end: () => {
        put("active");
      },
    },
    haproxy: {
      prepare: () => {
        put("root/crossbow/template", "");
        put("active", "haproxy\n");
      },
      says: "balances pool crossbow; move its addresses to other hosts, then: systemctl disable --now haproxy",
      end: () => {
        put("active");
      },
    },
    gluster: {
      prepare: () => {
        put("active", "glusterd\n");
        put("processes", "glusterfsd\n");
        put("root/styles-web-mount/stack", "id=ours\n");
        put("root/theirs-web-mount/stack", "id=another\n");
        put(
          "mounts",
          "/deploy/styles 192.0.2.1:/styles\n/deploy/theirs 192.0.2.1:/theirs\n/mnt/else 192.0.2.9:/else\n",
        );
      },
      says: "has bricks of a shared volume: first remove the host from its `servers` or `arbiter`\nmounts volume styles at /deploy/styles: first set it to `none` in `mounts`",
      end: () => {
        put("processes");
        put("mounts");
      },
    },
    memcached: {
      prepare: () => {
        put("listed", "changeover-memcached-sessions.service loaded active running x\n");
      },
      says: "is a node of cache sessions: first set it to `out` in `nodes`",
      end: () => {
        put("listed");
      },
    },
    upgrade: {
      prepare: () => {
        put("status", "poller RUNNING pid 7, uptime 0:01:00\n");
        put(
          "upgrades/scalr",
          `services=poller\nstop=manage stop all\nstatus=cat ${folder}/status\nsupervisor=echo it runs\nfolder=${folder}/scalr\n`,
        );
        put("scalr/bin", "");
      },
      says: "runs services of scalr (poller RUNNING); stop them once nobody needs them: manage stop all",
      end: () => {
        put("status", "poller STOPPED\n");
      },
    },
  };

  it.each(Object.keys(running))(
    "is refused while something of %s runs on it, and goes then",
    async (name) => {
      const { prepare, says, end } = running[name] ?? expect.unreachable();
      prepare();
      expect(await area(name, "look")).toBe(`${says}\n`);
      for (const words of [
        ["web", "ours", "look"],
        ["web", "ours"],
      ]) {
        const refused = await retire(...words);
        expect(refused.code, refused.stderr).toBe(77);
        expect(refused.stdout).toBe("");
        expect(refused.stderr).toContain(`refused: web ${says.replaceAll("\n", "; ")}; then run up again`);
      }
      end();
      const look = await retire("web", "ours", "look");
      expect(look.code, look.stderr).toBe(0);
      expect(look.stdout).toMatch(/^web serves nothing \d/);
      const left = await retire("web", "ours");
      expect(left.code, left.stderr).toBe(0);
      expect(left.stdout).toMatch(
        name === "upgrade" ? `web out of service, data left in ${folder}/scalr ` : /^web out of service \d/,
      );
      expect(existsSync(join(folder, "upgrades"))).toBe(false);
    },
  );

  it("hears all reasons of all areas at once", async () => {
    for (const { prepare } of Object.values(running)) prepare();
    put("active", "apache2\ncrossbow\nhaproxy\nglusterd\n");
    const { code, stderr } = await retire("web", "ours");
    expect(code).toBe(77);
    const all = areas.flatMap((name) => running[name]?.says.replaceAll("\n", "; ") ?? []);
    expect(stderr).toContain(`refused: web ${all.join("; ")}; then run up again`);
  });

  it("leaves a pair that it was claimed for, keeps claim and epoch, and is nobody's then", async () => {
    put("root/unittest/claim", "transition=switch\nid=1\nepoch=7\n");
    put("root/unittest/stack", "id=ours\n");
    put("root/unittest/cluster", "system_id=42\n");
    put("root/crossbow-host-web/claim", "transition=provision\nid=2\nepoch=1\n");
    put("root/crossbow-host-web/stack", "id=ours\n");
    expect(await area("pair", "look")).toBe("");
    const { code, stdout, stderr } = await retire("web", "ours");
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^web out of service \d/);
    expect(stderr).toMatch(/taking web out of pair unittest\n/);
    expect(stderr).not.toContain("crossbow");
    expect(readFileSync(join(root, "unittest", "retired"), "utf8")).toMatch(/^system_id=42\nsince=/);
    const left = globSync("*/*", { cwd: root }).sort();
    expect(left).toEqual(["crossbow-host-web/claim", "unittest/claim", "unittest/lock", "unittest/retired"]);
    expect((await retire("web", "another-run")).code).toBe(0);
  });

  it("keeps what another stack operates there as it is", async () => {
    put("root/unittest/claim", "transition=switch\nid=1\nepoch=7\n");
    put("root/unittest/stack", "id=another\n");
    put("upgrades/scalr", "status=false\n");
    put("root/scalr-web/stack", "id=another\n");
    const { code, stderr } = await retire("web", "ours");
    expect(code, stderr).toBe(0);
    for (const name of ["unittest", "scalr-web"]) {
      expect(stderr).toContain(`${name} is operated by stack another, left as it is`);
      expect(existsSync(join(root, name, "stack"))).toBe(true);
    }
    expect(existsSync(join(root, "unittest", "retired"))).toBe(false);
    expect(existsSync(join(folder, "upgrades", "scalr"))).toBe(true);
  });

  it("stays in service when an area can't say, or does not end; an area that is new is asked too", async () => {
    const own = join(folder, "scripts");
    cpSync(scripts, own, { recursive: true });
    const newArea = (bash: string) => {
      mkdirSync(join(own, "zoo"), { recursive: true });
      writeFileSync(join(own, "zoo", "retire.sh"), bash);
    };
    put("root/unittest/stack", "id=ours\n");
    const all = () => run(join(own, "retire.sh"), "web", "ours");
    newArea("exit 75");
    expect(await all()).toMatchObject({ code: 75, stdout: "" });
    newArea('[[ $3 == look ]] || { echo "zoo stays" >&2; exit 77; }');
    expect(await all()).toMatchObject({ code: 77, stdout: "", stderr: "zoo stays\n" });
    expect(existsSync(join(root, "unittest", "stack"))).toBe(true);
    newArea('[[ $3 == look ]] || printf "/data/one\\n/data/two\\n"');
    expect((await all()).stdout).toMatch(/^web out of service, data left in \/data\/one \/data\/two \d/);
    expect(existsSync(join(root, "unittest", "stack"))).toBe(false);
  });

  it("is asked about with the right words", async () => {
    for (const script of ["retire.sh", ...areas.map((name) => join(name, "retire.sh"))]) {
      expect((await run(join(scripts, script), "web")).code, script).toBe(64);
      const help = await run(join(scripts, script), "--help");
      expect(help.stdout, script).toContain("Usage: retire.sh HOST STACK");
    }
  });
});
