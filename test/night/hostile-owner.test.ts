import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../../config/places.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hostile-owner-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it.runIf(process.getuid?.() === 0).each([
  ["links", 72],
  ["race", 100],
])("the user of an application reaches nothing of root's: %s", (what, rounds) => {
  const script = join(root, "test/support/hostile-owner.sh");
  const words = ["-mn", "bash", script, join(root, "scripts"), folder, what, String(rounds)];
  const { stdout, stderr } = spawnSync("unshare", words, { encoding: "utf8" });
  expect(stdout + stderr).toBe(`tried ${String(rounds)}\n`);
});
