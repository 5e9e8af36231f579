import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { root } from "../../config/places.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "changeover-step-"));
  mkdirSync(join(folder, "records", "shop"), { recursive: true });
  writeFileSync(join(folder, "records", "shop", "claim"), "id=1\nepoch=1\ntransition=switch\n");
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A program that fails in the place of one that starts the run. */
function failing(name: string): string {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, name), "#!/bin/sh\nexit 1\n");
  chmodSync(join(bin, name), 0o755);
  return bin;
}

it("a run that can't be started leaves no secret behind", () => {
  const bin = failing("systemd-run");
  failing("setsid");
  const words = ["shop", "switch", "1", "60", "pair/serve"];
  const { status } = spawnSync("bash", [join(root, "scripts/step.sh"), ...words], {
    input: "a secret\n",
    encoding: "utf8",
    env: {
      ...process.env,
      PATH: `${bin}:${process.env.PATH ?? ""}`,
      CHANGEOVER_ROOT: join(folder, "records"),
    },
    timeout: 60_000,
  });
  expect(status).not.toBe(0);
  const [run = ""] = readdirSync(join(folder, "records/shop/runs")).filter(
    (name) => !name.endsWith(".starting"),
  );
  expect(run).toBe("1-pair-serve");
  expect(existsSync(join(folder, "records/shop/runs", run, "in"))).toBe(false);
});
