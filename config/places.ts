import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { basename, join } from "node:path";

export const root = join(import.meta.dirname, "..");

/** What can be made again: the built CLI, plugins, images. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "changeover");
}

/** What must be kept: the default state, its passphrase, rehearsals. */
export function dataFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "changeover");
}

/** What set-up keeps for this checkout alone. */
export function checkoutFolder(env: NodeJS.ProcessEnv = process.env): string {
  const key = createHash("sha256").update(root).digest("hex").slice(0, 8);
  return join(cacheFolder(env), "checkouts", `${basename(root)}-${key}`);
}

/** The file with this checkout's choices. */
export function toolchainFile(env: NodeJS.ProcessEnv = process.env): string {
  return join(checkoutFolder(env), "toolchain.json");
}
