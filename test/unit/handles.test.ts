import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
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
const stranger = 65534;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "handles-"));
});
afterEach(() => {
  spawnSync("umount", [join(folder, "full")]);
  rmSync(folder, { recursive: true, force: true });
});

const handles = (...words: string[]) =>
  spawnSync("python3", ["-I", join(root, "scripts", "handles.py"), ...words], { encoding: "utf8" });
const own = (...parts: string[]) => {
  const path = join(folder, ...parts);
  mkdirSync(path, { recursive: true });
  return path;
};

test("a path of root alone is fine, also when its end is not there yet", () => {
  own("a", "b");
  symlinkSync("a", join(folder, "link"));
  expect(handles(join(folder, "a/b"), join(folder, "a/b/c/d"), join(folder, "link/b")).status).toBe(0);
});

asRoot("a part that belongs to another account is refused by name, at any depth", () => {
  chownSync(own("a"), stranger, stranger);
  own("a", "b", "c");
  for (const below of ["a", "a/b", "a/b/c", "a/b/c/not-there"]) {
    const { status, stderr } = handles(join(folder, below));
    expect(status, below).toBe(77);
    expect(stderr).toContain(`${join(folder, "a")} belongs to user ${String(stranger)}`);
  }
});

asRoot("a link into a folder of another account is refused, as is a link to its link", () => {
  chownSync(own("theirs"), stranger, stranger);
  symlinkSync("theirs", join(folder, "one"));
  symlinkSync("one", join(folder, "two"));
  expect(handles(join(folder, "one")).status).toBe(77);
  expect(handles(join(folder, "two", "x")).status).toBe(77);
});

asRoot(
  "a folder that other accounts may write to is refused; one with the sticky bit only for what is theirs",
  () => {
    chmodSync(own("open"), 0o777);
    own("open", "mine");
    expect(handles(join(folder, "open", "mine")).status).toBe(77);
    expect(handles(join(folder, "open", "not-there")).status).toBe(77);
    chmodSync(join(folder, "open"), 0o1777);
    expect(handles(join(folder, "open", "mine")).status).toBe(0);
  },
);

const bash = (text: string) =>
  spawnSync("bash", ["-c", `. ${root}/scripts/lib.sh; ${text}`], { encoding: "utf8" });

asRoot(
  "a record that can't be written is said, keeps its old text, and fails also where errexit is off",
  () => {
    const full = own("full");
    expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", full]).status).toBe(0);
    writeFileSync(join(full, "record"), "old\n");
    const filling = spawnSync("dd", ["if=/dev/zero", `of=${full}/filler`, "bs=4k"]);
    expect(filling.status).toBe(1);
    const { stdout, stderr } = bash(
      `rc=0; printf 'new\\n' | write_file ${full}/record || rc=$?; echo "rc=$rc"`,
    );
    expect(stdout).toBe("rc=1\n");
    expect(stderr).toContain(`${full}/record on`);
    expect(readFileSync(join(full, "record"), "utf8")).toBe("old\n");
    expect(readdirSync(full).sort()).toEqual(["filler", "record"]);
    const python = spawnSync(
      "python3",
      [
        "-c",
        `import sys; sys.path.insert(0, "${root}/scripts"); import handles; handles.write_file("${full}/record", "new")`,
      ],
      { encoding: "utf8" },
    );
    expect(python.stderr).toContain("No space left");
    expect(readFileSync(join(full, "record"), "utf8")).toBe("old\n");
    expect(readdirSync(full).sort()).toEqual(["filler", "record"]);
  },
);

test("a written file has its mode at once, and its folder is made", () => {
  expect(bash(`write_file ${folder}/new/record 0600 <<<text`).status).toBe(0);
  expect(readFileSync(join(folder, "new/record"), "utf8")).toBe("text\n");
  expect(existsSync(join(folder, "new"))).toBe(true);
});
