import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect, it } from "vitest";
import { checkoutFolder, root } from "../../config/places.ts";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";

const minute = 60_000;

/** The files of this checkout in another folder, with packages of its own: those of npm are copied, what set-up made is not. */
function checkout(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
  });
  const packed = execFileSync("tar", ["--null", "--ignore-failed-read", "-T", "-", "-cf", "-"], {
    cwd: root,
    input: files,
    maxBuffer: 2 ** 28,
    stdio: ["pipe", "pipe", "ignore"],
  });
  execFileSync("tar", ["-xf", "-", "-C", folder], { input: packed });
  mkdirSync(join(folder, "node_modules"));
  for (const name of readdirSync(join(root, "node_modules"))) {
    const from = join(root, "node_modules", name);
    if (name === ".bin") execFileSync("cp", ["-a", from, join(folder, "node_modules")]);
    else if (name !== ".changeover") symlinkSync(from, join(folder, "node_modules", name));
  }
}

it.skipIf(whyNoLab() !== undefined)(
  "a rehearsal with a flip runs in a checkout whose folder has a space and a quote",
  () => {
    const place = mkdtempSync(join(tmpdir(), "changeover-space-"));
    const folder = join(place, "my app's");
    const path = process.env.PATH?.split(delimiter).filter((part) => !part.startsWith(root));
    const env = {
      ...process.env,
      XDG_DATA_HOME: join(place, "data"),
      PATH: path?.join(delimiter),
    };
    const rehearse = (...words: string[]) =>
      spawnSync("npm", ["run", "rehearse", "--", ...words], {
        cwd: folder,
        env,
        encoding: "utf8",
        timeout: 8 * minute,
      });
    try {
      checkout(folder);
      const { status, stdout, stderr } = rehearse("--flips", "1");
      expect(status, stdout + stderr).toBe(0);
      expect(stdout).toContain("sounz-switch-done-slayer");
    } finally {
      rehearse("--down");
      for (const name of readdirSync(join(checkoutFolder(), "..")).filter((other) =>
        other.startsWith("my app's-"),
      ))
        rmSync(join(checkoutFolder(), "..", name), { recursive: true, force: true });
      rmSync(place, { recursive: true, force: true });
    }
  },
  10 * minute,
);
