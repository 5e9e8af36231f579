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

/** Arguments of systemd-nspawn that give a host enough open files, where this machine's limit may be raised. */
export async function openFilesArguments(): Promise<string[]> {
  if ((await hardLimit()) >= wanted) return [];
  const limits = `${String(wanted)}:${String(wanted)}`;
  const { code } = await tryRun(["prlimit", `--nofile=${limits}`, "true"]);
  return code === 0 ? [`--rlimit=RLIMIT_NOFILE=${limits}`] : [];
}

/**
 * The interface by which Java tells how many files a process may open, without that question: the engines then take the number
 * for unknown, and make all their other checks. Some 190 bytes instead of a compiler.
 */
export function interfaceWithoutLimit(): Buffer {
  const utf8 = (text: string): Buffer => Buffer.concat([Buffer.from([1, 0, text.length]), Buffer.from(text)]);
  const classAt = (index: number): Buffer => Buffer.from([7, 0, index]);
  const u2 = (...values: readonly number[]): Buffer =>
    Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]));
  const constants = [
    classAt(2),
    utf8("com/sun/management/UnixOperatingSystemMXBean"),
    classAt(4),
    utf8("java/lang/Object"),
    classAt(6),
    utf8("com/sun/management/OperatingSystemMXBean"),
    utf8("getOpenFileDescriptorCount"),
    utf8("()J"),
  ];
  return Buffer.concat([
    Buffer.from([0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52]),
    u2(constants.length + 1),
    ...constants,
    // A public interface: this class, its super class, one interface above it, no field, one abstract method.
    u2(0x0601, 1, 3, 1, 5, 0, 1),
    u2(0x0401, 7, 8, 0),
    u2(0),
  ]);
}

/**
 * What Java of a host's services is told besides. Many run side by side here, so none spends minutes on compiling code that
 * runs for minutes only. Where open files can't be raised it gets the interface above. Both are the lab's matter alone: on
 * real machines the limit is raised.
 */
export async function javaOptions(upper: string): Promise<void> {
  const options = ["-XX:TieredStopAtLevel=1"];
  if ((await hardLimit()) < wanted && (await openFilesArguments()).length === 0) {
    const folder = "/usr/local/lib/changeover-lab/jdk.management";
    const file = join(upper, folder, "com/sun/management/UnixOperatingSystemMXBean.class");
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, interfaceWithoutLimit());
    options.push(`--patch-module=jdk.management=${folder}`);
  }
  const manager = join(upper, "etc/systemd/system.conf.d/changeover-lab.conf");
  await mkdir(dirname(manager), { recursive: true });
  await writeFile(manager, `[Manager]\nDefaultEnvironment="JDK_JAVA_OPTIONS=${options.join(" ")}"\n`);
}
