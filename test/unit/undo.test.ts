import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const undo = join(import.meta.dirname, "..", "..", "scripts", "undo.sh");
let root: string;
const records = () => join(root, "crossbow-release");
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "changeover-undo-"));
  for (const folder of ["temporary", "expired"]) mkdirSync(join(records(), folder), { recursive: true });
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

it.each([
  ["an older release", "haproxy/back"],
  ["this release", "haproxy/undo-drain"],
])("the undo of a drain that %s has recorded finds its script", async (_, script) => {
  const record = `id=7\nundo=${script} crossbow-release crossbow prodapp01\ntoken=1-1\n`;
  writeFileSync(join(records(), "temporary", "drain-prodapp01"), record);
  const stderr = await new Promise<string>((resolve) => {
    const words = ["crossbow-release", "drain-prodapp01", "1-1", "0"];
    execFile("bash", [undo, ...words], { env: { ...process.env, CHANGEOVER_ROOT: root } }, (_, __, text) => {
      resolve(text);
    });
  });
  // No pool is configured here, so the script itself refuses.
  expect(stderr).toContain("this balancer has no configuration of pool crossbow");
  expect(readFileSync(join(records(), "expired", "7"), "utf8")).toBe("drain-prodapp01\n");
  expect(existsSync(join(records(), "temporary", "drain-prodapp01"))).toBe(true);
});
