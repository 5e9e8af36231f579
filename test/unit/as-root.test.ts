import { spawnSync } from "node:child_process";
import {
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "../../config/places.ts";

const asRoot = test.runIf(process.getuid?.() === 0);
const user = 65534;
const release = "0123456789ab";
let folder: string;
let scripts: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "changeover-as-root-"));
  scripts = join(folder, "home", ".changeover", release, "scripts");
  mkdirSync(join(scripts, "pair"), { recursive: true });
  for (const file of ["lib.sh", "handles.py", "as-root.sh"])
    cpSync(join(root, "scripts", file), join(scripts, file));
  writeFileSync(join(scripts, "pair", "tell.sh"), 'echo "$0 $*"');
  writeFileSync(join(scripts, "pair", "tell.py"), "import sys; print(*sys.argv)");
  const software = join(folder, "home", ".changeover", "software", "abc", "site");
  mkdirSync(software, { recursive: true });
  writeFileSync(join(software, "install.sh"), "true");
  spawnSync("chown", ["-R", String(user), join(folder, "home")]);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const copies = () => join(folder, "opt");
const run = (...words: string[]) =>
  spawnSync("bash", [join(scripts, "as-root.sh"), ...words], {
    encoding: "utf8",
    env: { ...process.env, CHANGEOVER_COPIES: copies() },
  });

asRoot("what a login user has copied is run from a copy that belongs to root, twice the same", () => {
  for (const _ of [1, 2]) {
    expect(run("pair/tell.sh", "a b", ".changeover/x.tar.gz").stdout).toBe(
      `${copies()}/${release}/scripts/pair/tell.sh a b ${folder}/home/.changeover/x.tar.gz\n`,
    );
    expect(run("pair/tell.py", "one").stdout).toBe(`${copies()}/${release}/scripts/pair/tell.py one\n`);
  }
  const found = spawnSync("find", [copies(), "!", "-uid", "0", "-o", "-perm", "/022"], { encoding: "utf8" });
  expect(found.stdout).toBe("");
  expect(lstatSync(join(copies(), "software/abc/site/install.sh")).uid).toBe(0);
  expect(spawnSync("find", [copies(), "-name", ".new.*"], { encoding: "utf8" }).stdout).toBe("");
});

asRoot("a change of the user's copy changes nothing that root runs", () => {
  expect(run("pair/tell.sh").status).toBe(0);
  writeFileSync(join(scripts, "pair", "tell.sh"), "echo mine");
  expect(run("pair/tell.sh").stdout).not.toContain("mine");
  expect(readFileSync(join(copies(), release, "scripts/pair/tell.sh"), "utf8")).not.toContain("mine");
});

asRoot(
  "a link in the user's copy is refused, and so is a folder of root's that another user can change",
  () => {
    symlinkSync("/etc/shadow", join(scripts, "pair", "link"));
    const linked = run("pair/tell.sh");
    expect([linked.status, linked.stderr]).toEqual([77, expect.stringContaining("has a link")]);
    rmSync(join(scripts, "pair", "link"));
    mkdirSync(copies(), { recursive: true });
    chownSync(copies(), user, user);
    const open = run("pair/tell.sh");
    expect([open.status, open.stderr]).toEqual([
      77,
      expect.stringContaining(`belongs to user ${String(user)}`),
    ]);
  },
);

test.each([["/etc/passwd"], ["../x.sh"], ["pair/none.sh"], ["-x"], ["pair/tell.sh;id"]])(
  "it runs no %s",
  (file) => {
    expect(run(file).status).toBe(64);
  },
);
