import { existsSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "./files.ts";
import { root } from "../../../config/places.ts";
import type { Toolchain } from "./toolchain.ts";

const modules = join(root, "node_modules");

/** A word for sh. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Let `npx pulumi` be the CLI that was chosen. What is so already is left alone. */
export function installLauncher(chosen: Pick<Toolchain, "pulumi" | "pulumiHome">): void {
  const text = `CHANGEOVER_PULUMI=${quoted(chosen.pulumi)}\nCHANGEOVER_PULUMI_HOME=${quoted(chosen.pulumiHome)}\n`;
  const file = join(modules, ".changeover", "toolchain.sh");
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeWhole(file, text);
  const place = join(modules, ".bin", "pulumi");
  const target = join("..", "..", "tools", "pulumi.sh");
  if (linkTarget(place) === target) return;
  rmSync(place, { force: true });
  symlinkSync(target, place);
}

function linkTarget(place: string): string | undefined {
  try {
    return readlinkSync(place);
  } catch {
    return undefined;
  }
}
