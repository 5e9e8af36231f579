import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..", "..");

it("npx pulumi in a fresh clone names set-up, and takes no package of that name from a registry", () => {
  const folder = mkdtempSync(join(tmpdir(), "changeover-clone-"));
  try {
    mkdirSync(join(folder, "tools"));
    for (const file of ["package.json", "package-lock.json", "tools/pulumi.sh"])
      cpSync(join(root, file), join(folder, file));
    // A registry where nothing is: whatever it asks for there is missed.
    const env = { ...process.env, npm_config_registry: "http://127.0.0.1:9/", npm_config_fetch_retries: "0" };
    const ran = spawnSync("npx", ["--yes", "pulumi", "version"], { cwd: folder, env, encoding: "utf8" });
    expect(ran.stderr).toContain("there is no Pulumi CLI for this checkout yet; run: npm run setup");
    expect(ran.status).toBe(1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
