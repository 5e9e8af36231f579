import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { root } from "../../../config/places.ts";
import { lastLines, onPath, run, type Voice } from "./run.ts";

const list = "tools/workshop/setup/checksums.json";

/** SHA-256 of files that set-up may download, by their names: written down from their publisher's list with each new version. */
export const writtenDown = (): Readonly<Record<string, string>> =>
  JSON.parse(readFileSync(join(root, list), "utf8")) as Record<string, string>;

/** The SHA-256 of a file in hexadecimal digits. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/**
 * Download a file whose checksum is written down. Without one it is taken only where the user says
 * `CHANGEOVER_DOWNLOADS=yes`, and its checksum is said.
 *
 * @param seconds the limit of the whole download. @returns what prevented it, or undefined.
 */
export async function downloadChecked(
  url: string,
  file: string,
  {
    seconds,
    voice,
    known = writtenDown(),
  }: { seconds: number; voice: Voice; known?: Readonly<Record<string, string>> },
): Promise<string | undefined> {
  const name = basename(url);
  const wanted = known[name];
  if (wanted === undefined && process.env.CHANGEOVER_DOWNLOADS !== "yes")
    return `no checksum of ${name} is in ${list}; CHANGEOVER_DOWNLOADS=yes takes it without one`;
  const [curl] = onPath("curl");
  if (curl === undefined) return "there is no curl on PATH";
  voice.now("download", url);
  const limits = ["--connect-timeout", "10", "--speed-time", "30", "--speed-limit", "1000"];
  const got = await run([curl, "-fsSL", ...limits, "-o", file, url], { seconds });
  if (got.code !== 0) return lastLines(got.output, 2);
  const found = await sha256Of(file);
  if (wanted === undefined) voice.now("download", `${name} has sha256 ${found}; write it down in ${list}`);
  return wanted === undefined || wanted === found
    ? undefined
    : `${name} has sha256 ${found}; allowed: ${wanted}, as ${list} says; nothing of it was unpacked`;
}
