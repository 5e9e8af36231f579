import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { withLock } from "./lock.ts";
import { LabError, exists, run, searchPath } from "./run.ts";

/** The programs that labs need, with the Debian package of each. */
const programs: Record<string, string> = {
  debootstrap: "debootstrap",
  "systemd-nspawn": "systemd-container",
  ip: "iproute2",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  flock: "util-linux",
  setpriv: "util-linux",
};

/**
 * Says why this machine cannot have local hosts, or nothing when it can.
 * @returns the fact, the value found, what is needed and the cure.
 */
export function whyNoLab(): string | undefined {
  if (process.platform !== "linux") {
    return `local hosts need Linux, and this is ${process.platform}: use a Linux machine, or a stack with \`platform: inventory\``;
  }
  const uid = process.getuid?.();
  if (uid !== 0) {
    return `local hosts need root (mounts, bridge, namespaces), and this is uid ${uid}: run it as root, for example with sudo -E`;
  }
  return undefined;
}

/** @throws LabError when this machine cannot have local hosts. */
export function requireLab(): void {
  const why = whyNoLab();
  if (why) throw new LabError(why);
}

async function onPath(program: string): Promise<boolean> {
  const dirs = searchPath().split(delimiter);
  const found = await Promise.all(dirs.map((dir) => exists(join(dir, program))));
  return found.includes(true);
}

/**
 * Sees to what labs need of this machine; programs that are missing are installed with apt-get, saying so.
 * @throws LabError when the machine has no apt-get, or it fails.
 */
export async function ensurePrograms(): Promise<void> {
  const missing: string[] = [];
  for (const [program, name] of Object.entries(programs)) if (!(await onPath(program))) missing.push(name);
  const packages = [...new Set(missing)].sort();
  if (packages.length > 0) await install(packages);
  // nspawn derives the hosts' link addresses from the machine's id, which container images often leave empty.
  if (!(await readFile("/etc/machine-id", "utf8").catch(() => "")).trim())
    await run(["systemd-machine-id-setup"]);
}

async function install(packages: readonly string[]): Promise<void> {
  if (!(await onPath("apt-get"))) {
    throw new LabError(
      `local hosts need ${packages.join(", ")}, and this machine has no apt-get: install them yourself`,
    );
  }
  await withLock("apt", 600, async () => {
    console.error(`lab: installing on this machine, as local hosts need it: ${packages.join(" ")}`);
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const install = [
      "apt-get",
      "-q",
      "-y",
      "-o",
      "DPkg::Lock::Timeout=120",
      "install",
      "--no-install-recommends",
    ];
    await run(["apt-get", "-q", "update"], { deadline: 180, env });
    await run([...install, ...packages], { deadline: 600, env });
  });
}
