import { execFileSync, spawnSync } from "node:child_process";
import {
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { scratch } from "../support/estate.ts";

const scripts = join(import.meta.dirname, "..", "..", "scripts");
const gluster = join(scripts, "gluster");
const nobody = 65_534;

const python = (program: string, words: readonly string[], input = "", env: NodeJS.ProcessEnv = {}) =>
  spawnSync("python3", ["-I", join(gluster, program), ...words], {
    encoding: "utf8",
    input,
    env: { ...process.env, ...env },
  });

/** What root does in a folder whose owner puts links where root is about to write, read or move. */
describe.skipIf(process.getuid?.() !== 0)("the owner of a volume", { timeout: 30_000 }, () => {
  const folders: { path: string; remove: () => void }[] = [];
  afterEach(() => {
    for (const made of folders.splice(0)) made.remove();
  });
  /** A folder of root with a secret, and a volume of nobody beside it. */
  const hostile = () => {
    const made = scratch("changeover-hostile-");
    folders.push(made);
    const [canary, volume] = [join(made.path, "canary"), join(made.path, "volume")];
    mkdirSync(canary);
    writeFileSync(join(canary, "secret"), "secret\n", { mode: 0o600 });
    mkdirSync(volume);
    chownSync(volume, nobody, nobody);
    const untouched = () => {
      const { uid, mode } = lstatSync(join(canary, "secret"));
      expect([uid, mode & 0o777, readFileSync(join(canary, "secret"), "utf8")]).toEqual([
        0,
        0o600,
        "secret\n",
      ]);
      expect(execFileSync("ls", ["-A", canary], { encoding: "utf8" })).toBe("secret\n");
    };
    return { at: made.path, canary, volume, untouched };
  };
  const marker = "volume=styles\nid=1\nuid=65534\n";

  it("has no file of root's written by the check of the mount", () => {
    const { volume, canary, untouched } = hostile();
    const look = () => python("mount-check.py", ["--look", volume, "h1"]);
    expect(python("marker.py", ["write", volume, "h1"], marker).status).toBe(0);
    expect(look().stdout).toContain('"write": ""');
    const ours = join(volume, ".changeover");
    renameSync(ours, join(volume, "aside"));
    symlinkSync(canary, ours);
    expect(look().status).toBe(1);
    renameSync(ours, join(volume, "link"));
    // A whole copy of its own, with a link where root writes.
    cpSync(join(volume, "aside"), ours, { recursive: true });
    execFileSync("rm", ["-f", join(ours, "check-h1")]);
    symlinkSync(join(canary, "secret"), join(ours, "check-h1"));
    execFileSync("chown", ["-hR", "nobody", ours]);
    expect(look().stderr).toContain("belongs to user 65534");
    untouched();
  });

  it("has no marker written or believed where it put a link", () => {
    const { volume, canary, untouched } = hostile();
    symlinkSync(canary, join(volume, ".changeover"));
    expect(python("marker.py", ["write", volume, "h1"], marker).status).toBe(77);
    expect(python("marker.py", ["read", volume]).status).toBe(77);
    renameSync(join(volume, ".changeover"), join(volume, "link"));
    mkdirSync(join(volume, ".changeover"));
    symlinkSync(join(canary, "secret"), join(volume, ".changeover", "volume"));
    expect(python("marker.py", ["read", volume]).stdout).toBe("");
    untouched();
  });

  it("reads nothing of root's through a copy, and gets nothing written elsewhere", () => {
    const { at, volume, canary, untouched } = hostile();
    const source = join(at, "source");
    mkdirSync(source);
    mkdirSync(join(source, "sub"));
    writeFileSync(join(source, "sub", "a"), "a");
    symlinkSync(canary, join(source, "link"));
    symlinkSync(canary, join(volume, "sub"));
    execFileSync("mkfifo", [join(source, "fifo")]);
    const enclosed = (...words: string[]) => python("enclosed.py", ["nobody", source, volume, ...words]);
    expect(enclosed("cat", "/source/link/secret").status).not.toBe(0);
    expect(enclosed("touch", "/copy/sub/new").status).not.toBe(0);
    expect(enclosed("touch", "/source/new").stderr).toContain("Read-only");
    const copied = enclosed("rsync", "-aHXS", "--chown=65534:65534", "/source/", "/copy/");
    expect(copied).toMatchObject({ status: 0 });
    const compare = () =>
      enclosed(
        "python3",
        "-I",
        "/scripts/gluster/compare-folders.py",
        "equal",
        "/source",
        "/copy",
        "nobody",
        "65534",
        "65534",
      );
    expect(compare()).toMatchObject({ status: 0 });
    execFileSync("chmod", ["u+s", join(volume, "sub", "a")]);
    expect(compare().stderr).toContain("'sub/a' differs in mode");
    untouched();
  });

  it("chooses no place to which root moves a folder", () => {
    const { at, volume, canary, untouched } = hostile();
    const move = (from: string, to: string) => python("places.py", ["nobody", "move", from, to]);
    mkdirSync(join(at, "folder"));
    symlinkSync(canary, join(volume, "home"));
    expect(move(join(at, "folder"), join(volume, "home", "kept")).status).toBe(77);
    // What belongs to the owner alone may hold it.
    expect(move(join(at, "folder"), join(volume, "kept")).status).toBe(0);
    renameSync(join(volume, "kept"), join(volume, "aside"));
    symlinkSync(canary, join(volume, "kept"));
    expect(move(join(volume, "kept"), join(at, "back"))).toMatchObject({ status: 1 });
    untouched();
  });

  it("has no program of its own run by a script that starts in its folder", () => {
    const { at, volume } = hostile();
    for (const name of ["json", "os", "socket", "cli", "marker"])
      writeFileSync(join(volume, `${name}.py`), `open(${JSON.stringify(join(at, "planted"))}, "w")\n`);
    for (const program of ["mount-check.py", "marker.py", "bricks.py"])
      spawnSync("bash", ["-c", `cd ${volume} && python3 -I ${join(gluster, program)} --help`]);
    expect(execFileSync("ls", [at], { encoding: "utf8" })).not.toContain("planted");
    const host = "grep -nE '\\bpython3 +(-c|[^-I])' memcached/*.sh gluster/*.sh | grep -v 'packages' || true";
    expect(execFileSync("bash", ["-c", host], { cwd: scripts, encoding: "utf8" })).toBe("");
  });
});

const inNetwork = spawnSync("unshare", ["-n", "nft", "list", "tables"]).status === 0;

describe.skipIf(!inNetwork)("rules of nftables", { timeout: 30_000 }, () => {
  it("of GlusterFS let in its hosts and the trusted pool, and ports of other programs", () => {
    const { path, remove } = scratch("changeover-pool-");
    mkdirSync(join(path, "peers"));
    writeFileSync(join(path, "styles"), "10.0.0.5\n10.0.0.6\n");
    writeFileSync(join(path, "older.seen"), "10.0.0.7\nlocalhost\n");
    writeFileSync(join(path, "other.ports"), "50000\n");
    writeFileSync(join(path, "peers", "8a"), "uuid=8a\nstate=3\nhostname1=10.0.0.9\n");
    const env = { ...process.env, CHANGEOVER_VOLUMES: path, CHANGEOVER_GLUSTERD: path };
    const close = `python3 -I ${join(gluster, "close-ports.py")}`;
    const load = `${close} | nft -f - && nft -s list table inet changeover-gluster`;
    const { stdout } = spawnSync("unshare", ["-n", "bash", "-c", load], { encoding: "utf8", env });
    remove();
    expect(stdout).toContain("ip saddr { 10.0.0.5, 10.0.0.6, 10.0.0.7, 10.0.0.9 } accept");
    expect(stdout.trim().split("\n").at(-3)?.trim()).toBe(
      "tcp dport { 24007-24008, 49152-60999 } reject with tcp reset",
    );
    expect(stdout).toContain("tcp dport 50000 accept");
  });

  it("are loaded again when somebody flushes them, and said to be missing while nobody watches", () => {
    const { path, remove } = scratch("changeover-rules-");
    const table =
      "table inet one\ndelete table inet one\ntable inet one {\n chain c { tcp dport 1 reject\n }\n}\n";
    writeFileSync(join(path, "one.nft"), table);
    const rules = `python3 -I ${join(scripts, "rules.py")} ${path}`;
    const until = (command: string) =>
      `for n in $(seq 200); do ${command} && break; sleep 0.05; done; ${command} || exit 1`;
    const script = `
mount -t tmpfs none /run
${rules} --look
${rules} >/dev/null & watch=$!
trap 'kill $watch' EXIT
${until("nft list table inet one >/dev/null 2>&1")}
nft flush ruleset
${until("nft list table inet one >/dev/null 2>&1")}
nft flush chain inet one c
${until("nft list table inet one | grep -q reject")}
${until(`test -z "$(${rules} --look)"`)}
kill $watch; wait $watch; trap - EXIT
nft flush ruleset
${rules} --look`;
    const done = spawnSync("unshare", ["-mnp", "--fork", "--kill-child", "bash", "-c", script], {
      encoding: "utf8",
      timeout: 25_000,
    });
    remove();
    expect([done.status, done.stdout]).toEqual([0, "one\none\n"]);
  });
});
