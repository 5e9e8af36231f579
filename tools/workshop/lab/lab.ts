/**
 * Labs: the local machines of one stack or one test, on a bridge and a subnet of their own. All functions may be called
 * twice, side by side, and after a crash; each has a deadline; faults are `LabError`s that read as they are.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { hostDown, hostNames } from "./lib/host.ts";
import { image } from "./lib/image.ts";
import { ensurePrograms, requireLab } from "./lib/machine.ts";
import { netRemove, netUp } from "./lib/net.ts";
import type { LabWanted } from "./lib/net.ts";
import { sshConfigPath } from "./lib/registry.ts";
import type { Lab } from "./lib/registry.ts";
import { tryRun } from "./lib/run.ts";
import type { Ran } from "./lib/run.ts";

export { cut, freeze, killHost, mend, powerCut, reboot, thaw } from "./lib/faults.ts";
export { boot, getHost, hostDown, hostUp, stateOf } from "./lib/host.ts";
export type { HostInfo, HostState } from "./lib/host.ts";
export { requireLab, whyNoLab } from "./lib/machine.ts";
export { allLabs, findLab, getLab, hostDir, labDir, labIds } from "./lib/registry.ts";
export type { HostRecord, Lab } from "./lib/registry.ts";
export { memory } from "./status.ts";
export { LabError } from "./lib/run.ts";
export type { LabWanted, Ran };

/** An id that no other lab has. */
export const newLabId = (): string => `co-${randomBytes(4).toString("hex")}`;

/** Makes a lab without hosts, and the image for them if it is missing (minutes, the first time). */
export async function createLab(wanted: LabWanted, extraPackages: readonly string[] = []): Promise<Lab> {
  requireLab();
  await ensurePrograms();
  await image(extraPackages);
  return netUp(wanted);
}

/** Removes a lab, its hosts and every trace of both; right too when nothing is left of it. */
export async function removeLab(id: string): Promise<void> {
  requireLab();
  await Promise.all((await hostNames(id)).map((host) => hostDown(id, host)));
  await netRemove(id);
}

/**
 * Runs a command on a host over SSH, as root, with its host key checked.
 * @param deadline seconds.
 */
export function ssh(id: string, host: string, command: string, deadline = 30): Promise<Ran> {
  return tryRun(["ssh", "-F", sshConfigPath(id), "-o", "BatchMode=yes", host, command], { deadline });
}

/** Opens SSH to a host on this terminal; resolves to its exit code. */
export function sshHere(id: string, host: string, words: readonly string[]): Promise<number> {
  const child = spawn("ssh", ["-F", sshConfigPath(id), host, "--", ...words], { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 255));
  });
}
