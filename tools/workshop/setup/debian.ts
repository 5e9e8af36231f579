import { existsSync } from "node:fs";
import { delimiter } from "node:path";
import { lastLines, onPath, run, SetupError } from "./run.ts";

const installSeconds = 600;
const updateSeconds = 180;

/** Folders of system programs, which are not on every user's PATH. */
const systemFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/**
 * See to it that programs are on this machine, by apt-get where they are missing.
 * @param packageOf the Debian package of each program.
 * @param why what needs them, for the message.
 * @throws SetupError when this user cannot install them, or it fails.
 */
export async function ensureCommands(
  packageOf: Readonly<Record<string, string>>,
  why: string,
): Promise<void> {
  const path = [process.env.PATH ?? "", ...systemFolders].join(delimiter);
  const missing = Object.entries(packageOf).filter(([name]) => onPath(name, path).length === 0);
  if (missing.length > 0)
    await ensureDebianPackages(
      missing.map(([, name]) => name),
      why,
    );
}

/** What hosts on loopback need, and the package of each. */
export const sshCommands = { sshd: "openssh-server", ssh: "openssh-client", "ssh-keygen": "openssh-client" };

/**
 * Install Debian packages. A service that comes with one is left off: what needs it starts its own.
 * @throws SetupError when this user cannot install them, or it fails.
 */
export async function ensureDebianPackages(packages: readonly string[], why: string): Promise<void> {
  const wanted = [...new Set(packages)].sort();
  const list = wanted.join(" ");
  if (!onPath("apt-get")[0]) {
    throw new SetupError(`${why}: ${list} missing, and this machine has no apt-get`, [`install ${list}`]);
  }
  if (process.getuid?.() !== 0) {
    throw new SetupError(`${why}: ${list} missing, and only root can install`, [
      `sudo apt-get install ${list}`,
    ]);
  }
  console.error(`setup: installing with apt-get, for ${why}: ${list}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120"];
  const install = [...apt, "install", "--no-install-recommends", ...wanted];
  let done = await run(install, { seconds: installSeconds, env });
  if (done.code !== 0) {
    // A new machine has no package lists, or old ones that name files which are gone.
    await run([...apt, "update"], { seconds: updateSeconds, env });
    done = await run(install, { seconds: installSeconds, env });
  }
  if (done.code !== 0) {
    throw new SetupError(`${why}: apt-get could not install ${list}\n${lastLines(done.output, 5)}`, [
      `see that \`apt-get install ${list}\` works on this machine`,
    ]);
  }
  if (wanted.includes("openssh-server") && existsSync("/run/systemd/system")) {
    await run(["systemctl", "disable", "--now", "ssh.service"], { seconds: 60 });
  }
}
