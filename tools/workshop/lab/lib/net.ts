import { mkdir, rm } from "node:fs/promises";
import { addressIn, bridgeName, freeSubnet } from "./names.ts";
import {
  allLabs,
  findLab,
  keyPath,
  labDir,
  saveLab,
  sharedDir,
  sshConfigPath,
  withRegistry,
  writeAtomically,
} from "./registry.ts";
import type { Lab } from "./registry.ts";
import { hierarchy, removeLabCgroup } from "./cgroup.ts";
import { exists, run, tryRun } from "./run.ts";

/** Worse than any route that the kernel makes for a bridge that is there. */
const lastResort = "4278198272";

interface IpRoute {
  readonly dst?: string;
}
interface IpAddress {
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[];
}

/** Networks that a new lab must stay away from: routes, addresses and other labs' subnets. */
async function takenNetworks(): Promise<string[]> {
  const routes = JSON.parse(
    (await run(["ip", "-j", "-4", "route", "show", "table", "all"])) || "[]",
  ) as IpRoute[];
  const links = JSON.parse((await run(["ip", "-j", "-4", "address"])) || "[]") as IpAddress[];
  const addresses = links
    .flatMap((link) => link.addr_info ?? [])
    .map((a) => `${a.local ?? ""}/${a.prefixlen ?? 32}`);
  const destinations = routes.map((route) => route.dst ?? "").filter((dst) => /^\d/.test(dst));
  return [...destinations, ...addresses, ...(await allLabs()).map((lab) => lab.subnet)];
}

/** Writes what is derived from the record: names for the hosts, and keys and aliases for SSH from this machine. */
export async function writeDerived(lab: Lab): Promise<void> {
  const hosts = Object.entries(lab.hosts).map(([name, host]) => ({
    name,
    ...host,
    address: addressIn(lab.subnet, host.octet),
  }));
  const lines = hosts.map(({ name, address }) => `${address} ${name}\n`).join("");
  const known = hosts.map(({ name, address, hostKey }) => `${name},${address} ${hostKey}\n`).join("");
  const common = [
    `Host *`,
    `  User root`,
    `  IdentityFile ${keyPath(lab.id)}`,
    `  IdentitiesOnly yes`,
    `  IdentityAgent none`,
    `  UserKnownHostsFile ${labDir(lab.id)}/known_hosts`,
    `  GlobalKnownHostsFile /dev/null`,
    `  StrictHostKeyChecking yes`,
    `  ConnectTimeout 5`,
    `  ServerAliveInterval 5`,
    `  ServerAliveCountMax 3`,
    `  LogLevel ERROR`,
  ];
  const aliases = hosts.map(({ name, address }) => `Host ${name}\n  HostName ${address}\n`).join("");
  await mkdir(sharedDir(lab.id), { recursive: true });
  await writeAtomically(`${sharedDir(lab.id)}/hosts`, `127.0.0.1 localhost\n::1 localhost\n${lines}`);
  await writeAtomically(`${labDir(lab.id)}/known_hosts`, known);
  await writeAtomically(sshConfigPath(lab.id), `${aliases}${common.join("\n")}\n`);
}

async function makeKey(id: string): Promise<void> {
  if (await exists(`${keyPath(id)}.pub`)) return;
  await rm(keyPath(id), { force: true });
  await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", `operator of ${id}`, "-f", keyPath(id)]);
}

/** Docker and others let iptables drop what passes a bridge: then the lab's own bridge is let through. */
async function bridgeRule(verb: "-C" | "-I" | "-D", bridge: string): Promise<boolean> {
  const rule = [verb, "FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT"];
  return (await tryRun(["iptables", "-w", "5", ...rule]).catch(() => ({ code: 1 }))).code === 0;
}

async function makeBridge(lab: Lab): Promise<void> {
  const bridge = bridgeName(lab.id);
  if ((await tryRun(["ip", "link", "show", "dev", bridge])).code !== 0) {
    // A bridge without an address of its own takes that of a port, and changes it as hosts come and go.
    const hex = Buffer.from(lab.subnet.split(".").map(Number).slice(0, 3)).toString("hex");
    const mac = `02:c0:00:${hex.match(/../g)?.join(":") ?? ""}`;
    await run(["ip", "link", "add", bridge, "address", mac, "type", "bridge"]);
  }
  await run(["ip", "address", "replace", `${addressIn(lab.subnet, 1)}/24`, "dev", bridge]);
  await run(["ip", "link", "set", bridge, "up"]);
  await run(["ip", "route", "replace", "unreachable", lab.subnet, "metric", lastResort]);
  const filtered = await exists("/proc/sys/net/bridge/bridge-nf-call-iptables");
  if (filtered && !(await bridgeRule("-C", bridge))) await bridgeRule("-I", bridge);
}

/** What a new lab is to be. */
export interface LabWanted {
  /** `co-` and 4 to 8 hexadecimal digits. */
  readonly id: string;
  readonly stack: string;
  readonly checkout: string;
}

/** Makes the lab's record, operator key, bridge and route, or what is missing of them (after a crash, after a reboot). */
export function netUp(wanted: LabWanted): Promise<Lab> {
  return withRegistry(async () => {
    const known = await findLab(wanted.id);
    const lab: Lab = {
      ...wanted,
      subnet: known?.subnet ?? freeSubnet(wanted.id, await takenNetworks()),
      hosts: known?.hosts ?? {},
    };
    await saveLab(lab);
    await makeKey(lab.id);
    await writeDerived(lab);
    await makeBridge(lab);
    await hierarchy();
    return lab;
  });
}

/** Removes the lab's bridge, route and record; its hosts are gone by then. */
export function netRemove(id: string): Promise<void> {
  return withRegistry(async () => {
    const lab = await findLab(id);
    while (await bridgeRule("-D", bridgeName(id)));
    await tryRun(["ip", "link", "delete", bridgeName(id)]);
    if (lab) await tryRun(["ip", "route", "delete", "unreachable", lab.subnet, "metric", lastResort]);
    await removeLabCgroup(id);
    await rm(labDir(id), { recursive: true, force: true });
  });
}
