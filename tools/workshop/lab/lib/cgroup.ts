import { mkdir, readFile, readdir, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LabError, exists, run, tryRun, waitUntil } from "./run.ts";

/** Whether systemd runs this machine: then each host is a unit of its own. */
const systemdRuns = (): Promise<boolean> => exists("/run/systemd/system");

export const unitName = (id: string, host: string): string => `changeover-lab-${id}-${host}.service`;

const ownMount = "/run/changeover-lab/cgroup";

/** Where the version 2 hierarchy is for us; a machine with version 1 alone gets it mounted, under /run. */
export async function hierarchy(): Promise<string> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" "));
  const found = mounts.find(([, , type]) => type === "cgroup2")?.[1];
  if (found) return found;
  await mkdir(ownMount, { recursive: true });
  await run(["mount", "-t", "cgroup2", "cgroup2", ownMount]);
  return ownMount;
}

/** A host's cgroup: its path below the root of the hierarchy, and as a directory. */
export interface Cgroup {
  readonly path: string;
  readonly dir: string;
}

/** Where a host's processes are (or would be, when it does not run). */
export async function cgroupOf(id: string, host: string): Promise<Cgroup> {
  const path = (await systemdRuns())
    ? `/system.slice/${unitName(id, host)}`
    : `/changeover-lab/${id}/${host}`;
  return { path, dir: join(await hierarchy(), path) };
}

/**
 * Starts a command that outlives this process, in the host's cgroup (a unit of its own where systemd runs).
 * @param log file that gets its output.
 */
export async function startDetached(
  id: string,
  host: string,
  log: string,
  argv: readonly string[],
): Promise<void> {
  if (await systemdRuns()) {
    const unit = [
      "--unit",
      unitName(id, host),
      "--collect",
      "--property=Delegate=yes",
      "--property=KillMode=mixed",
    ];
    await run(["systemd-run", "--quiet", ...unit, `--property=StandardOutput=append:${log}`, "--", ...argv]);
    return;
  }
  const outlive = ["setsid", "--fork", "bash", "-c", 'exec >>"$0" 2>&1 </dev/null; exec "$@"', log];
  await run([...outlive, ...argv]);
}

async function tree(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => tree(join(dir, entry.name))),
  );
  return [...below.flat(), dir];
}

/** Ids of all processes of a host, also of its supervisor. */
export async function processes(cgroup: Cgroup): Promise<number[]> {
  const lists = await Promise.all(
    (await tree(cgroup.dir)).map((dir) => readFile(join(dir, "cgroup.procs"), "utf8").catch(() => "")),
  );
  return lists.join("\n").split("\n").filter(Boolean).map(Number);
}

/** The host's process 1 as this machine sees it, or nothing when the host does not run. */
export async function leader(cgroup: Cgroup): Promise<number | undefined> {
  for (const pid of await processes(cgroup)) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const ids = /^NSpid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/);
    if (ids?.length === 2 && ids[1] === "1") return pid;
  }
  return undefined;
}

/** Stops (or lets go on) every process of the host, as a hung kernel or hypervisor would. */
export async function setFrozen(cgroup: Cgroup, frozen: boolean): Promise<void> {
  const file = join(cgroup.dir, "machine", "cgroup.freeze");
  await writeFile(file, frozen ? "1" : "0").catch(() => {
    throw new LabError(`${file} cannot be written: the host does not run, or the kernel is older than 5.2`);
  });
}

export async function isFrozen(cgroup: Cgroup): Promise<boolean> {
  const text = await readFile(join(cgroup.dir, "machine", "cgroup.freeze"), "utf8").catch(() => "0");
  return text.trim() === "1";
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself between the look and the kill.
  }
}

/**
 * Kills all that runs for a host, supervisor first (it would start the host again), and removes the cgroup.
 * @throws LabError when something is left after 20 s.
 */
export async function killAll(id: string, host: string): Promise<void> {
  const cgroup = await cgroupOf(id, host);
  const watch = { path: cgroup.path, dir: join(cgroup.dir, "watch") };
  (await processes(watch)).forEach(kill);
  // With its process 1 the kernel ends all of a host at once; the loop is for what a host that is half up left.
  const first = await leader(cgroup);
  if (first !== undefined) kill(first);
  await waitUntil(`all processes in ${cgroup.dir} to end`, 20, async () => {
    const left = await processes(cgroup);
    left.forEach(kill);
    return left.length === 0;
  });
  if (await systemdRuns()) await tryRun(["systemctl", "stop", unitName(id, host)]);
  await waitUntil(`${cgroup.dir} to be removed`, 10, async () => {
    for (const dir of await tree(cgroup.dir)) await rmdir(dir).catch(() => undefined);
    return !(await exists(cgroup.dir));
  });
}

/** Removes what a lab's last host leaves, and with the last lab what was mounted for all of them. */
export async function removeLabCgroup(id: string): Promise<void> {
  const root = await hierarchy();
  await rmdir(join(root, "changeover-lab", id)).catch(() => undefined);
  await rmdir(join(root, "changeover-lab")).catch(() => undefined);
  if (root !== ownMount || (await exists(join(root, "changeover-lab")))) return;
  await run(["umount", ownMount]);
  await rmdir(ownMount);
  await rmdir(dirname(ownMount));
}
