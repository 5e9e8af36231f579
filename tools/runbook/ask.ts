import { execFileSync } from "node:child_process";
import { root } from "../../config/places.ts";
import { type Looked, lookOnce } from "../../transition/run/probe.ts";
import { quoted, startOf } from "../../transition/start.ts";
import type { Asked } from "./asked.ts";

/** How long a host may take when its look names no time. */
const seconds = 5;
/** What a host may take longer that gets the scripts first. */
const sendSeconds = 5;

/** What a host said, and whether the scripts were sent to it for that. */
export type Said<Facts> = Looked<Facts> & { readonly sent: boolean };

/**
 * Ask a host read-only. The scripts of the preview may not be there yet, as on a new host and when a pull request changes
 * them: then those of this checkout are sent along and removed again.
 */
export async function ask<Facts extends { readonly now_ms: number }>(asked: Asked): Promise<Said<Facts>> {
  const limit = asked.seconds ?? seconds;
  // A host that is cut off is told by ssh's own words, before this one gives up.
  const limits = { connectTimeout: Math.max(1, Math.min(limit, 5) - 1) };
  const first = await lookOnce<Facts>({ ...asked, seconds: limit }, { limits });
  if (!isMissing(first.result)) return { ...first, sent: false };
  const command = besides(asked, limit);
  const second = await lookOnce<Facts>(
    { ...asked, command, seconds: limit + sendSeconds },
    { limits, input: packed() },
  );
  return { ...second, sent: true };
}

/** Whether the program is not on the host: by Python's and Bash's codes for that, and the number of the error. */
const isMissing = ({ code, stderr }: Looked<unknown>["result"]): boolean =>
  (code === 2 && stderr.includes("[Errno 2]")) || code === 127;

/**
 * A command that unpacks the scripts from stdin into a folder of its own, runs one and removes the folder, whatever happens. Root
 * makes the folder where others can't, in memory: nobody can put a file or a link into it, and a full disk does not matter.
 */
function besides({ target, program, words }: Asked, limit: number): string {
  const interpreter = program.endsWith(".py") ? "python3" : "bash";
  const script = [
    "umask 077",
    "folder=$(mktemp -d -p /run 2>/dev/null || mktemp -d) || exit",
    `trap 'rm -rf "$folder"' EXIT`,
    "trap 'exit 75' HUP INT TERM",
    'tar -xzf - --no-same-owner --no-same-permissions -C "$folder" || exit',
    `PYTHONDONTWRITEBYTECODE=1 timeout -k 1 ${String(limit)} ${interpreter} "$folder/scripts/${program}"${words}`,
  ].join("\n");
  return `${startOf(target)} -c ${quoted(script)}`;
}

let archive: Buffer | undefined;

/** The scripts of this checkout, as tar writes them. */
function packed(): Buffer {
  archive ??= execFileSync("tar", ["-czf", "-", "--exclude=__pycache__", "-C", root, "scripts"], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return archive;
}
