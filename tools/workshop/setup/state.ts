import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "./run.ts";

/**
 * Make the default backend: a folder for state and a random passphrase, for this user alone.
 * @throws SetupError when there is state whose passphrase is gone: a new one would not open its secrets.
 */
export function makeState(folder: string): void {
  const state = join(folder, "state");
  const passphrase = join(folder, "passphrase");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  if (existsSync(passphrase)) return;
  if (readdirSync(state).length > 0) {
    throw new SetupError(`${state} has state, and ${passphrase}, which opens its secrets, is missing`, [
      `put ${passphrase} back`,
      `or move ${state} away: its stacks are then unknown here, and what they made stays as it is`,
    ]);
  }
  try {
    writeFileSync(passphrase, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
