import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** The content of a JSON file; undefined when it is missing or was cut off, as after a full disk. */
export function readJson<T>(file: string): T | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch {
    return undefined;
  }
}

/** Write a file so that a reader sees the old text or the new one. */
export function writeWhole(file: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${String(process.pid)}`;
  try {
    writeFileSync(draft, text, { mode });
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}
