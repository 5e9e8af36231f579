import * as pulumi from "@pulumi/pulumi";
import type { InventoryConfig } from "./config.ts";
import type { Host, Platform, SshTarget } from "../platform.ts";
import { hostKeyOf } from "../public-key.ts";
import { requirePrivateKey } from "../ssh.ts";

/**
 * Machines that exist: the config says where each is, and its host key says which machine it is.
 *
 * @throws pulumi.RunError when the private key can't be read.
 */
export function inventoryPlatform({ hosts, ssh }: Pick<InventoryConfig, "hosts" | "ssh">): Platform {
  requirePrivateKey(ssh);
  const targets = targetsOf({ hosts, ssh });
  const addresses = Object.fromEntries([...targets].map(([name, { host }]) => [name, host]));
  return {
    hosts: new Map([...targets].map(([name, target]) => [name, hostOf(name, target)])),
    serviceAddress: (name, wanted) => {
      if (wanted === undefined)
        throw new Error(`pair ${name} has no serviceAddress; the config of an inventory names one`);
      return { address: pulumi.output(wanted), movedBy: "host" };
    },
    fence: (name) => {
      const command = hosts[name]?.fence;
      return command === undefined ? undefined : { by: "operator", command: pulumi.output(command) };
    },
    outputs: { addresses: pulumi.output(addresses) },
  };
}

function hostOf(name: string, target: SshTarget): Host {
  return {
    name,
    ssh: pulumi.output(target),
    identity: pulumi.output(target.hostKey),
    address: pulumi.output(target.host),
    ready: [],
  };
}

function targetsOf({ hosts, ssh }: Pick<InventoryConfig, "hosts" | "ssh">): ReadonlyMap<string, SshTarget> {
  const target = (name: string): SshTarget => {
    const host = hosts[name];
    if (!host) throw new Error(`${name} is no host of the inventory`);
    return {
      host: host.address,
      port: host.port,
      user: host.user ?? ssh.user,
      hostKey: hostKeyOf(host.hostKey) ?? host.hostKey,
      privateKeyPath: ssh.privateKeyPath,
      ...(host.bastion === undefined ? {} : { proxy: target(host.bastion) }),
    };
  };
  return new Map(Object.keys(hosts).map((name) => [name, target(name)]));
}
