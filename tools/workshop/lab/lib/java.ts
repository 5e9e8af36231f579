import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { tryRun } from "./run.ts";

/** What search engines ask of a machine at their start; below it they end. */
const wanted = 65_535;

/** The most files that a process of this machine may open, which its local hosts inherit. */
async function hardLimit(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8");
  const hard = /^Max open files +\d+ +(\d+|unlimited)/m.exec(limits)?.[1];
  return hard === "unlimited" ? Infinity : Number(hard ?? Infinity);
}

/**
 * Arguments of systemd-nspawn that give a host enough open files, where this machine's limit may be raised. Where not, the
 * image's Java does not know the limit (image/hide-file-limit.py).
 */
export async function openFilesArguments(): Promise<string[]> {
  if ((await hardLimit()) >= wanted) return [];
  const limits = `${String(wanted)}:${String(wanted)}`;
  const { code } = await tryRun(["prlimit", `--nofile=${limits}`, "true"]);
  return code === 0 ? [`--rlimit=RLIMIT_NOFILE=${limits}`] : [];
}

/**
 * What Java of a host's services is told besides. Many run side by side here, so none spends minutes on compiling code that
 * runs for minutes only. The lab's matter alone: a real machine compiles.
 */
export async function javaOptions(upper: string): Promise<void> {
  const manager = join(upper, "etc/systemd/system.conf.d/changeover-lab.conf");
  await mkdir(dirname(manager), { recursive: true });
  await writeFile(manager, `[Manager]\nDefaultEnvironment="JDK_JAVA_OPTIONS=-XX:TieredStopAtLevel=1"\n`);
}
