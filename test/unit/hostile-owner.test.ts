import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../config/places.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hostile-owner-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const script = join(root, "test/support/hostile-owner.sh");
const tried = (what: string, rounds: number): string => {
  const words = ["-mn", "bash", script, join(root, "scripts"), folder, what, String(rounds)];
  const { stdout, stderr } = spawnSync("unshare", words, { encoding: "utf8" });
  return stdout + stderr;
};
/** Namespaces, mounts and the tools of the scripts. */
const may =
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["-mn", "true"]).status === 0 &&
  spawnSync("nft", ["--version"]).status === 0;

describe.runIf(may)("the user of an application", { timeout: 120_000 }, () => {
  // test/night/ tries all places with all targets.
  it("changes nothing of root's by a link in the place of any folder or file that was its own", () => {
    expect(tried("links", 4)).toBe("tried 4\n");
  });

  it("wins no race while root takes the folders of an older release back", () => {
    expect(tried("race", 3)).toBe("tried 3\n");
  });
});
