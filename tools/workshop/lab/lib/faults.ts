import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cgroupOf, killAll, leader, setFrozen } from "./cgroup.ts";
import { getHost, lockHost, waitForHost } from "./host.ts";
import { bridgeName, portName } from "./names.ts";
import { hostDir } from "./registry.ts";
import { LabError, run, tryRun, waitUntil } from "./run.ts";

/** Kills a host's processes in one blow: its sockets are closed by the kernel, so clients notice at once. */
export async function killHost(id: string, host: string): Promise<void> {
  await getHost(id, host);
  await lockHost(id, host, () => killAll(id, host));
}

/** Takes the host's bridge port down: nothing comes in or goes out, and the host runs on. Survives its reboots. */
export async function cut(id: string, host: string): Promise<void> {
  const { record } = await getHost(id, host);
  await writeFile(join(hostDir(id, host), "cut"), "");
  await tryRun(["ip", "link", "set", portName(id, record.octet), "down"]);
}

/** Plugs a host in again that was cut off. */
export async function mend(id: string, host: string): Promise<void> {
  const { record } = await getHost(id, host);
  await rm(join(hostDir(id, host), "cut"), { force: true });
  const port = portName(id, record.octet);
  if ((await tryRun(["ip", "link", "show", "dev", port])).code !== 0) return;
  await run(["ip", "link", "set", port, "master", bridgeName(id), "up"]);
}

/** As the mains failing: cut off first, so that no last packet tells anyone, then killed. Mended for its next start. */
export async function powerCut(id: string, host: string): Promise<void> {
  await cut(id, host);
  await killHost(id, host);
  // The dead host's kernel would still repeat its sockets' last words, if the port came up before it is gone.
  const { record } = await getHost(id, host);
  await tryRun(["ip", "link", "delete", portName(id, record.octet)]);
  await mend(id, host);
}

/** Stops every process of a host where it is; its kernel still answers pings. */
export async function freeze(id: string, host: string): Promise<void> {
  await getHost(id, host);
  await setFrozen(await cgroupOf(id, host), true);
}

/** Lets a frozen host go on. */
export async function thaw(id: string, host: string): Promise<void> {
  await getHost(id, host);
  await setFrozen(await cgroupOf(id, host), false);
}

/** Reboots a host in good order, as its administrator would, and waits until it answers again. */
export async function reboot(id: string, host: string): Promise<void> {
  const { lab, record } = await getHost(id, host);
  const cgroup = await cgroupOf(id, host);
  const before = await leader(cgroup);
  if (before === undefined)
    throw new LabError(`host ${host} is off, so it cannot reboot: npm run lab -- boot ${host}`);
  // systemd's own signal for a reboot (SIGRTMIN+5), which needs neither network nor a login.
  await run(["kill", "-s", "RTMIN+5", String(before)]);
  await waitUntil(`${host} to go down`, 60, async () => (await leader(cgroup)) !== before);
  await waitForHost(lab, host, record, 60);
}
