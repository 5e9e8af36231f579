import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { LabError } from "./run.ts";

export const lockDir = "/run/lock/changeover-lab";

// The holder lets go when our end of its stdin closes, so a killed run leaves no lock behind. A lock file may be
// removed by whoever holds it: one that was removed while this waited is no lock any more, and is asked for again.
const holder = `exec 9>>"$1" && flock --wait "$2" 9 || exit 75; [ "$1" -ef /proc/self/fd/9 ] || exit 76; echo held; cat >/dev/null; rm -f "$1"`;

async function acquire(file: string, seconds: number): Promise<(() => Promise<void>) | "again"> {
  const child = spawn("bash", ["-c", holder, "lock", file, String(seconds)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 128));
  });
  const held = new Promise<"held">((resolve) => child.stdout.once("data", () => resolve("held")));
  const first = await Promise.race([held, ended]);
  if (first === 76) return "again";
  if (first !== "held") {
    throw new LabError(
      `another run has held ${file} for ${seconds} s; see which with: lslocks | grep ${file}`,
    );
  }
  return async () => {
    child.stdin.end();
    await ended;
  };
}

/**
 * Runs `act` while holding the lock `name`, which one process on this machine can hold.
 * @throws LabError when another holds it for longer than `seconds`.
 */
export async function withLock<T>(name: string, seconds: number, act: () => Promise<T>): Promise<T> {
  const file = `${lockDir}/${name}`;
  for (;;) {
    await mkdir(dirname(file), { recursive: true });
    const release = await acquire(file, seconds);
    if (release === "again") continue;
    try {
      return await act();
    } finally {
      await release();
    }
  }
}
