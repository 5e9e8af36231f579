import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { cgroupOf, isFrozen, killAll, leader, processes, startDetached } from "./cgroup.ts";
import { image } from "./image.ts";
import { inotifyProblem, raiseInotify } from "./inotify.ts";
import { withLock } from "./lock.ts";
import { addressIn, bridgeName, checkHostName, hostOctets, machineId, portName } from "./names.ts";
import { netUp, writeDerived } from "./net.ts";
import { javaOptions, openFilesArguments } from "./java.ts";
import { findLab, getLab, hostDir, keyPath, saveLab, sharedDir, withRegistry } from "./registry.ts";
import type { HostRecord, Lab } from "./registry.ts";
import { LabError, exists, run, tryRun, waitUntil } from "./run.ts";

/** What Pulumi, and a test, need to reach a host. */
export interface HostInfo {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly hostKey: string;
  readonly privateKeyPath: string;
  /** Another value means another machine, also under the same name. */
  readonly identity: string;
}

/** `running` answers SSH or is about to; `frozen` and `cut` are running too. */
export type HostState = "off" | "starting" | "running" | "frozen";

const supervisor = join(import.meta.dirname, "..", "supervise.sh");

export const lockHost = <T>(id: string, host: string, act: () => Promise<T>): Promise<T> =>
  withLock(`${id}-${checkHostName(host)}`, 180, act);

/** @throws LabError when the lab has no such host. */
export async function getHost(id: string, host: string): Promise<{ lab: Lab; record: HostRecord }> {
  const lab = await getLab(id);
  const record = lab.hosts[host];
  if (record) return { lab, record };
  const names = Object.keys(lab.hosts).join(", ") || "none";
  throw new LabError(`lab ${id} (stack ${lab.stack}) has no host "${host}": its hosts are ${names}`);
}

function info(lab: Lab, record: HostRecord): HostInfo {
  return {
    address: addressIn(lab.subnet, record.octet),
    port: 22,
    user: "root",
    hostKey: record.hostKey,
    privateKeyPath: keyPath(lab.id),
    identity: record.hostKey.split(" ")[1] ?? record.hostKey,
  };
}

/** Lays out a new host's own files over the image; what a broken-off attempt left is thrown away. */
async function layOut(lab: Lab, host: string): Promise<string> {
  const dir = hostDir(lab.id, host);
  await rm(dir, { recursive: true, force: true });
  const etc = join(dir, "upper", "etc");
  for (const part of ["work", "root", "data00", "upper/root/.ssh", "upper/etc/ssh"]) {
    await mkdir(join(dir, part), { recursive: true });
  }
  const key = join(etc, "ssh", "ssh_host_ed25519_key");
  await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", host, "-f", key]);
  await writeFile(join(etc, "hostname"), `${host}\n`);
  await writeFile(join(etc, "machine-id"), `${machineId(lab.id, host)}\n`);
  const sshDir = join(dir, "upper", "root", ".ssh");
  await run(["chmod", "0700", sshDir, join(dir, "upper", "root")]);
  await writeFile(join(sshDir, "authorized_keys"), await readFile(`${keyPath(lab.id)}.pub`), { mode: 0o600 });
  await javaOptions(join(dir, "upper"));
  return (await readFile(`${key}.pub`, "utf8")).split(" ").slice(0, 2).join(" ");
}

/** Takes a free address for a host that is laid out, and tells the other hosts its name. */
function enter(id: string, host: string, record: Omit<HostRecord, "octet">): Promise<void> {
  return withRegistry(async () => {
    const lab = await getLab(id);
    const taken = new Set(Object.values(lab.hosts).map(({ octet }) => octet));
    let octet: number = hostOctets.first;
    while (taken.has(octet)) octet++;
    if (octet > hostOctets.last)
      throw new LabError(`lab ${id} is full: 150 hosts are the most that one lab can have`);
    const entered = { ...lab, hosts: { ...lab.hosts, [host]: { octet, ...record } } };
    await saveLab(entered);
    await writeDerived(entered);
  });
}

function nspawnArguments(lab: Lab, host: string, record: HostRecord): string[] {
  const dir = hostDir(lab.id, host);
  return [
    ...[
      "--quiet",
      "--boot",
      "--keep-unit",
      "--register=no",
      "--link-journal=no",
      "--resolv-conf=off",
      "--timezone=off",
    ],
    `--directory=${dir}/root`,
    `--machine=${lab.id}-${host}`,
    `--hostname=${host}`,
    `--network-veth-extra=${portName(lab.id, record.octet)}:eth0`,
    // All but what would reach out of the host: the machine's clock and its kernel modules.
    "--capability=all",
    "--drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE",
    "--bind=/dev/fuse",
    `--bind=${dir}/data00:/data00`,
    `--bind-ro=${sharedDir(lab.id)}:/etc/changeover-lab`,
  ];
}

async function start(lab: Lab, host: string, record: HostRecord): Promise<void> {
  await raiseInotify();
  const dir = hostDir(lab.id, host);
  for (const layer of record.layers) {
    if (!(await exists(layer))) {
      throw new LabError(
        `host ${host} was made over the image ${layer}, which is gone: remove the lab and make it again`,
      );
    }
  }
  const port = portName(lab.id, record.octet);
  await writeFile(join(dir, "upper/etc/lab-network"), `ADDRESS=${info(lab, record).address}/24\n`);
  const nspawn = [...nspawnArguments(lab, host, record), ...(await openFilesArguments())];
  await writeFile(join(dir, "nspawn"), nspawn.join("\0"));
  const cgroup = await cgroupOf(lab.id, host);
  const words = [dir, cgroup.path, [...record.layers].reverse().join(":"), port, bridgeName(lab.id)];
  const inNamespace = ["unshare", "--mount", "--propagation", "private", "bash", supervisor, ...words];
  await startDetached(lab.id, host, join(dir, "supervisor.log"), inNamespace);
}

/** Whether sshd sends its banner: the host is up as its users see it. */
function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22, timeout: 1000 });
    const done = (said: boolean): void => {
      socket.destroy();
      resolve(said);
    };
    socket.on("data", (text) => done(text.toString().startsWith("SSH-2.0")));
    for (const event of ["error", "timeout", "end"]) socket.on(event, () => done(false));
  });
}

async function lastLines(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.trim().split("\n").slice(-8).join("\n");
}

/** Waits until the host is up: until SSH answers, or (nobody can ask a host that is cut off) until it has begun. */
export async function waitForHost(
  lab: Lab,
  host: string,
  record: HostRecord,
  seconds: number,
): Promise<void> {
  const dir = hostDir(lab.id, host);
  const address = info(lab, record).address;
  const cgroup = await cgroupOf(lab.id, host);
  if (await isFrozen(cgroup))
    throw new LabError(`host ${host} is frozen: let it go on with npm run lab -- thaw ${host}`);
  const cutOff = await exists(join(dir, "cut"));
  const begun = performance.now();
  const seen = { gone: false };
  const up = async (): Promise<boolean> => {
    // A host that ended by itself will not answer: the first seconds belong to the start of its supervisor.
    seen.gone = performance.now() - begun > 3000 && (await processes(cgroup)).length === 0;
    return seen.gone || (cutOff ? (await leader(cgroup)) !== undefined : await answers(address));
  };
  const failure = await waitUntil(`SSH of ${host} at ${address}`, seconds, up).catch(
    (error: unknown) => error,
  );
  if (failure === undefined && !seen.gone) return;
  const said =
    `${await lastLines(join(dir, "supervisor.log"))}\n${await lastLines(join(dir, "console.log"))}`.trim();
  const what = seen.gone ? "ended as it started" : `did not come up within ${seconds} s`;
  const why = await inotifyProblem();
  throw new LabError(`host ${host} ${what}${why ? `: ${why}` : ""}:\n${said}`);
}

async function startIfOff(lab: Lab, host: string, record: HostRecord): Promise<void> {
  if ((await processes(await cgroupOf(lab.id, host))).length === 0) await start(lab, host, record);
  await waitForHost(lab, host, record, 60);
}

/**
 * Makes a host when it is not there, starts it when it is off, and returns when it answers SSH (60 s at most,
 * apart from the image).
 * @param extraPackages Debian packages that a new host has beyond the usual ones.
 */
export async function hostUp(
  id: string,
  host: string,
  extraPackages: readonly string[] = [],
): Promise<HostInfo> {
  const layers = await image(extraPackages);
  return lockHost(id, host, async () => {
    const before = await getLab(id);
    if (!before.hosts[host]) await enter(id, host, { hostKey: await layOut(before, host), layers });
    const { lab, record } = await getHost(id, host);
    await startIfOff(lab, host, record);
    return info(lab, record);
  });
}

/** Starts a host that is off, also after a reboot of this machine, which takes bridge and route away. */
export async function boot(id: string, host: string): Promise<void> {
  const { lab, record } = await getHost(id, host);
  await netUp(lab);
  await lockHost(id, host, () => startIfOff(lab, host, record));
}

/** Removes a host and all that is of it; right too when it is dead, half made, or gone. */
export async function hostDown(id: string, host: string): Promise<void> {
  await lockHost(id, host, async () => {
    await killAll(id, host);
    const record = (await findLab(id))?.hosts[host];
    if (record) await tryRun(["ip", "link", "delete", portName(id, record.octet)]);
    await rm(hostDir(id, host), { recursive: true, force: true });
    await withRegistry(async () => {
      const lab = await findLab(id);
      if (!lab?.hosts[host]) return;
      const { [host]: _gone, ...hosts } = lab.hosts;
      await saveLab({ ...lab, hosts });
      await writeDerived({ ...lab, hosts });
    });
  });
}

/** Names of all hosts that a lab has or has left traces of. */
export async function hostNames(id: string): Promise<string[]> {
  const recorded = Object.keys((await findLab(id))?.hosts ?? {});
  const laidOut = await readdir(dirname(hostDir(id, "x"))).catch(() => []);
  return [...new Set([...recorded, ...laidOut])].sort();
}

/** What a host is doing now, as this machine sees it. */
export async function stateOf(
  id: string,
  host: string,
): Promise<{ state: HostState; cut: boolean; pids: readonly number[] }> {
  const cgroup = await cgroupOf(id, host);
  const pids = await processes(cgroup);
  const started = (await leader(cgroup)) !== undefined;
  const state =
    pids.length === 0 ? "off" : (await isFrozen(cgroup)) ? "frozen" : started ? "running" : "starting";
  return { state, cut: await exists(join(hostDir(id, host), "cut")), pids };
}
