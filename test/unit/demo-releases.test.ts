import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { archiveOf, demoReleases, filesOf } from "../../tools/workshop/demo-releases.ts";

const python = (program: string, ...words: string[]) => {
  const { stdout, stderr, status } = spawnSync("python3", ["-B", "-c", program, ...words], {
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  return stdout.trim();
};

describe("the archive of a release", () => {
  it("has the same bytes whatever the order of its files, for a sha256 that is known", () => {
    const files = [
      { path: "REVISION", mode: 0o644, content: Buffer.from("1\n") },
      { path: "bin/serve", mode: 0o755, content: Buffer.alloc(70_000, "x") },
    ];
    const bytes = archiveOf(files);
    expect(archiveOf(files.toReversed())).toEqual(bytes);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(
      "6e75fb5472031955b4760d42ee6441d76e5cb8d4b39ab4e8ed5f3fbc119a8ce4",
    );
    expect(gunzipSync(bytes).length).toBe(512 * (1 + 1 + 1 + 137 + 2));
  });

  it("is read by others: names, modes, no owner, no time, whole contents", () => {
    const folder = mkdtempSync(join(tmpdir(), "changeover-releases-"));
    try {
      const file = join(folder, "one.tar.gz");
      writeFileSync(file, archiveOf(filesOf("4685")));
      const listed = python(
        "import sys, tarfile\nfor m in tarfile.open(sys.argv[1]): print(oct(m.mode), m.uid, m.gid, m.mtime, m.name, m.size)",
        file,
      );
      expect(listed).toContain("0o644 0 0 0 REVISION 5\n0o755 0 0 0 bin/serve ");
      expect(listed).toContain(" public/styles/site.css ");
      expect(spawnSync("tar", ["xOzf", file, "REVISION"], { encoding: "utf8" }).stdout).toBe("4685\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("differs from the good one in the revision, and in a bad one in what is started", () => {
    const contents = (revision: string) =>
      new Map(filesOf(revision).map(({ path, content }) => [path, content.toString()]));
    const good = contents("4685");
    for (const [revision, fault] of Object.entries(demoReleases)) {
      const other = contents(revision);
      const changed = [...good.keys()].filter(
        (path) => path !== "REVISION" && good.get(path) !== other.get(path),
      );
      expect(changed, revision).toEqual(fault === undefined ? [] : ["bin/serve"]);
      expect(other.get("REVISION")).toBe(`${revision}\n`);
    }
  });
});

describe("the ring of cache nodes", () => {
  const program = `
import json, sys
sys.path.insert(0, "demo/crossbow")
from crossbow.cache import Ring
three = ["10.0.0.1:11211", "10.0.0.2:11211", "10.0.0.3:11211"]
keys = [f"session:{n}" for n in range(1000)]
def owners(nodes):
    ring = Ring(nodes)
    return {key: next(ring.candidates(key)) for key in keys}
ring, whole, fewer = Ring(three), owners(three), owners(three[:2])
print(json.dumps({
  "shares": [sum(owner == node for owner in whole.values()) / len(keys) for node in three],
  "order": owners(three[::-1]) == whole and Ring(three[::-1]).digest() == Ring(three).digest(),
  "moved": sum(whole[key] != fewer[key] for key in keys if whole[key] != three[2]),
  "others": Ring(three[:2]).digest() != Ring(three).digest(),
  "stand_in": all(len(set(ring.candidates(key))) == 3 for key in keys),
  "none": list(Ring([]).candidates("x")),
}))`;

  it("is the one by which scripts/memcached copies entries to their new nodes", () => {
    const compare = `
import sys
sys.path[:0] = ["demo/crossbow", "scripts/memcached"]
from crossbow.cache import Ring as Ours
from ring import Ring as Theirs, digest
for count in (1, 2, 3):
    nodes = [f"10.77.3.{n}:11211" for n in range(count)]
    ours, theirs = Ours(nodes), Theirs(nodes)
    keys = [f"session:{n:032x}" for n in range(500)]
    print(sum(next(ours.candidates(key)) == theirs.owner(key.encode()) for key in keys), end=" ")
    print(digest("".join(f"{node}\\n" for node in nodes)).startswith(ours.digest()))`;
    expect(python(compare)).toBe("500 True\n500 True\n500 True");
  });

  it("gives each its share, does not depend on their order, and moves only the keys of one that leaves [001-114]", () => {
    const { shares, ...rest } = JSON.parse(python(program)) as { shares: number[] };
    for (const share of shares) expect(share).toBeGreaterThan(0.22);
    expect(rest).toEqual({ order: true, moved: 0, others: true, stand_in: true, none: [] });
  });
});
