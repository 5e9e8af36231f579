import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A folder that is copied to hosts, and what names its contents. */
export interface Scripts {
  readonly folder: string;
  /**
   * A hash of the files' names and contents. Each release has a folder of its own on the hosts, since overwriting a
   * running script executes fragments of the new one.
   */
  readonly release: string;
}

/** The folder that is copied to each host as it is, read once. */
export function readScripts(folder = join(import.meta.dirname, "..", "scripts")): Scripts {
  return { folder, release: releaseOf(folder) };
}

/** What names the contents of a folder: its files' names, and what is in them. */
export function releaseOf(folder: string): string {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  for (const path of files.map((file) => join(file.parentPath, file.name)).sort()) {
    const content = readFileSync(path);
    hash.update(`${path.slice(folder.length)}\0${String(content.length)}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 12);
}
