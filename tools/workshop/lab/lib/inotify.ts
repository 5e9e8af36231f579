import { readFile, readdir, readlink, writeFile } from "node:fs/promises";

const setting = "/proc/sys/fs/inotify/max_user_instances";

/** A local host holds some six; the kernel's usual limit of 128 for a user is reached by some twenty hosts. */
const perHost = 8;
const wanted = 1024;

const limit = async (): Promise<number> => Number(await readFile(setting, "utf8"));

/** Instances of inotify that processes of root hold on this machine. */
async function held(): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const counts = await Promise.all(
    pids.map(async (pid) => {
      const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
      const links = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
      return links.filter((link) => link === "anon_inode:inotify").length;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Raises the limit of inotify instances where this machine lets it. A lower one is said when hosts reach it. */
export async function raiseInotify(): Promise<void> {
  if ((await limit().catch(() => wanted)) >= wanted) return;
  await writeFile(setting, `${wanted}\n`).catch(() => undefined);
}

/** Why no further host can start, if inotify instances are the reason; undefined: they are not. */
export async function inotifyProblem(machine = { limit, held }): Promise<string | undefined> {
  const [most, now] = [await machine.limit().catch(() => Infinity), await machine.held()];
  if (now + perHost <= most) return undefined;
  return `this machine has ${now} of ${most} inotify instances in use, and a host needs some ${perHost}; remove a lab (npm run lab -- down), or raise the limit: sysctl -w fs.inotify.max_user_instances=${wanted}`;
}
