import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { root } from "../../config/places.ts";

type Type = "file" | "folder" | "link" | "hard" | "device" | "block" | "fifo" | "old";

interface Member {
  readonly name: string;
  readonly type: Type;
  readonly target?: string;
  readonly mode: number;
}

interface Outcome {
  readonly code: number;
  readonly words: string;
  readonly wrong: readonly string[];
}

const member = (type: Type, name: string, target = ""): Member => ({ type, name, target, mode: 0o4755 });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "archive-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const unpacked = (archives: readonly (readonly Member[])[]): Outcome[] => {
  const { stdout, stderr, status } = spawnSync(
    "python3",
    [join(root, "test/support/unpack-many.py"), join(root, "scripts/app/archive.py"), folder],
    { input: JSON.stringify(archives), encoding: "utf8", maxBuffer: 1 << 26 },
  );
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Outcome[];
};
const one = (...members: readonly Member[]): Outcome => unpacked([members])[0] ?? expect.fail();

const names = [
  "a",
  "b",
  "c",
  "d/a",
  "d/b",
  "d/e/a",
  ".",
  "..",
  "",
  "l",
  "l/a",
  "l/l/a",
  "a/b",
  "./a",
  "d//a",
];
const outside = [
  "../a",
  "../../canary/file",
  "CANARY/file",
  "CANARY/folder/new",
  "d/../../x",
  "x/".repeat(600),
];
const targets = [
  "a",
  "d",
  ".",
  "..",
  "../..",
  "l",
  "l/..",
  "l/l/../../../canary/folder",
  "../../canary/file",
];
const members = fc.record({
  name: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...names) },
    { weight: 1, arbitrary: fc.constantFrom(...outside) },
  ),
  type: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom<Type>("file", "folder", "link", "link", "hard", "old") },
    { weight: 1, arbitrary: fc.constantFrom<Type>("device", "block", "fifo") },
  ),
  target: fc.constantFrom(...names, ...targets, ...outside),
  mode: fc.constantFrom(0o644, 0o755, 0o4755, 0o6777, 0),
});

describe.runIf(process.getuid?.() === 0)("an archive of a release", () => {
  it("places nothing outside of its folder, whatever its members are", () => {
    const archives = fc.sample(fc.array(members, { minLength: 1, maxLength: 7 }), 250);
    const outcomes = unpacked(archives);
    const wrong = outcomes.flatMap((outcome, index) =>
      outcome.wrong.length > 0 ? [[archives[index], outcome]] : [],
    );
    expect(wrong).toEqual([]);
    // Both answers are met often, so the property is not empty.
    const good = outcomes.filter(({ code }) => code === 0).length;
    expect(good).toBeGreaterThan(20);
    expect(good).toBeLessThan(230);
  });

  it("with a link by which a later file of the same name would leave is refused or stays inside", () => {
    const link = member("link", "l", ".");
    const { wrong } = one(link, member("link", "x", "l/l/l/../../canary/file"), member("file", "x"));
    expect(wrong).toEqual([]);
    const outward = one(link, member("link", "x", "l/l/l/../../canary/file"));
    expect(outward.code).toBe(77);
    expect(outward.words).toContain("'x', which leads to l/l/l/../../canary/file, outside of the release");
  });

  it("may have links through links, names twice and second names of its files", () => {
    const { code, words, wrong } = one(
      ...[member("folder", "lib"), member("file", "lib/a"), member("link", "current", "lib")],
      ...[member("link", "again", "current/../current"), member("file", "lib/a")],
      ...[member("hard", "b", "lib/a"), member("hard", "b", "b"), member("link", "b", "lib/a")],
    );
    expect([code, words, wrong]).toEqual([0, "", []]);
  });

  it.each([
    [[member("link", "sub", "bin"), member("file", "sub/a")], "'sub/a', which is under the link sub"],
    [[member("file", "a"), member("file", "a/b")], "'a/b', which is under the file a"],
    [[member("folder", "a"), member("file", "a")], "'a', which is also the name of a folder"],
    [[member("hard", "a", "b")], "'a', which is another name of b, which is no file of the archive"],
    [[member("file", "a/../b")], "'a/../b', which has a part `..`"],
    [[member("fifo", "a")], "'a', which is neither a file, a folder nor a link"],
    [[member("file", `${"x/".repeat(600)}x`)], "which has more than 1000 bytes in its name"],
  ])("is refused with the member and the reason (%#)", (archive, why) => {
    const { code, words, wrong } = one(...archive);
    expect(wrong).toEqual([]);
    expect(words).toContain(why);
    expect(words).toContain("nothing was unpacked");
    expect(code).toBe(77);
  });
});
