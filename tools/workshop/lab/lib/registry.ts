import { mkdir, readFile, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "./lock.ts";
import { checkLabId } from "./names.ts";
import { LabError } from "./run.ts";

const labsDir = "/var/lib/changeover-lab";

/** What is recorded of a host; all else is derived or measured. */
export interface HostRecord {
  /** Last octet of its address. */
  readonly octet: number;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  /** The image's directories that it was made over, lowest first. */
  readonly layers: readonly string[];
}

/** What is recorded of a lab. */
export interface Lab {
  readonly id: string;
  /** The stack that made it, or what a test calls itself. */
  readonly stack: string;
  /** The checkout that made it. */
  readonly checkout: string;
  /** For example `10.64.7.0/24`. */
  readonly subnet: string;
  readonly hosts: Readonly<Record<string, HostRecord>>;
}

export const labDir = (id: string): string => join(labsDir, checkLabId(id));
export const hostDir = (id: string, host: string): string => join(labDir(id), "hosts", host);
export const keyPath = (id: string): string => join(labDir(id), "key");
export const sshConfigPath = (id: string): string => join(labDir(id), "ssh_config");
/** A directory that every host of the lab sees, read-only, at /etc/changeover-lab. */
export const sharedDir = (id: string): string => join(labDir(id), "shared");

/** Writes a file so that a reader sees the old text or the new one, never a part. */
export async function writeAtomically(path: string, text: string, mode = 0o644): Promise<void> {
  const part = `${path}.${process.pid}`;
  await writeFile(part, text, { mode });
  await rename(part, path);
}

/** The lab's record, or nothing when there is none (never made, half made, or removed). */
export async function findLab(id: string): Promise<Lab | undefined> {
  const text = await readFile(join(labDir(id), "lab.json"), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Lab);
}

/** @throws LabError when there is no such lab. */
export async function getLab(id: string): Promise<Lab> {
  const lab = await findLab(id);
  if (lab) return lab;
  throw new LabError(
    `there is no lab ${id} on this machine: make it with \`pulumi up\`, or see \`npm run lab -- status\``,
  );
}

/** Ids of all labs that left something under the labs' directory, complete or not. */
export async function labIds(): Promise<string[]> {
  const names = await readdir(labsDir).catch(() => []);
  return names.filter((name) => /^co-[0-9a-f]{4,8}$/.test(name)).sort();
}

/** All labs that have a record. */
export async function allLabs(): Promise<Lab[]> {
  const labs = await Promise.all((await labIds()).map(findLab));
  return labs.filter((lab) => lab !== undefined);
}

export async function saveLab(lab: Lab): Promise<void> {
  await mkdir(labDir(lab.id), { recursive: true, mode: 0o755 });
  await writeAtomically(join(labDir(lab.id), "lab.json"), `${JSON.stringify(lab, null, 2)}\n`);
}

/** Holds the machine's lock on the records of all labs: for short work only. */
export const withRegistry = <T>(act: () => Promise<T>): Promise<T> => withLock("registry", 60, act);
