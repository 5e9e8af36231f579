import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { RandomId } from "@pulumi/random";
import { z } from "zod";
import type { Host, Platform, ServiceAddress, SshTarget } from "../platform.ts";

export interface LocalPlatformOptions {
  /** Name of the stack, for `npm run lab -- status` and its `--stack`. */
  readonly stack: string;
  /** The hosts to make, by name; `packages` are Debian's that one has beyond the usual ones, from its first day. */
  readonly hosts: Readonly<Record<string, { readonly packages?: readonly string[] }>>;
  readonly parent?: pulumi.Resource;
}

const labRecord = z.object({ id: z.string(), subnet: z.string().regex(/^\d+\.\d+\.\d+\.0\/24$/) });

const hostRecord = z.object({
  address: z.ipv4(),
  port: z.number(),
  user: z.string(),
  hostKey: z.string(),
  privateKeyPath: z.string(),
  identity: z.string(),
});

// Relative to the project, where the engine starts its plugins: the text in the state fits every checkout, so a stack
// that was made from one can be destroyed from another.
const lab = 'PATH="$PWD/node_modules/.bin:$PATH" node tools/workshop/lab/main.ts';

// The triggers alone say when a machine is made anew; a reworded command is no reason.
const ignoreChanges = ["create", "update", "delete", "dir", "environment", "interpreter", "logging", "stdin"];

/**
 * The machines of one stack on this Linux machine. They are made to be thrown away, so nothing here is protected:
 * what must not be lost lives on another platform.
 */
class LocalLab extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;
  readonly subnet: pulumi.Output<string>;
  readonly hosts: ReadonlyMap<string, Host>;

  constructor(options: LocalPlatformOptions) {
    super("changeover:platforms:LocalLab", "lab", {}, { parent: options.parent });
    this.id = pulumi.interpolate`co-${new RandomId("lab-id", { byteLength: 4 }, { parent: this }).hex}`;
    const net = this.command("lab-net", "net", this.id, ` --stack ${options.stack}`, []);
    this.subnet = net.stdout.apply((text) => labRecord.parse(JSON.parse(text)).subnet);
    this.hosts = new Map(
      Object.entries(options.hosts).map(([name, { packages = [] }]) => {
        const extra = packages.length > 0 ? ` --extra ${[...packages].sort().join(",")}` : "";
        const made = this.command(`lab-host-${name}`, "host", pulumi.interpolate`${this.id} ${name}`, extra, [
          net,
        ]);
        return [name, asHost(name, made)];
      }),
    );
    this.registerOutputs({ lab: this.id, subnet: this.subnet });
  }

  private command(
    name: string,
    noun: "net" | "host",
    which: pulumi.Output<string>,
    how: string,
    dependsOn: pulumi.Resource[],
  ): local.Command {
    return new local.Command(
      name,
      {
        create: pulumi.interpolate`${lab} ${noun}-up ${which}${how}`,
        delete: pulumi.interpolate`${lab} ${noun}-down ${which}`,
        triggers: [which],
        logging: "stderr",
      },
      // The old one goes first: made side by side under one name, the new one would be removed as the old.
      { parent: this, dependsOn, ignoreChanges, deleteBeforeReplace: true },
    );
  }
}

function asHost(name: string, made: local.Command): Host {
  const record = made.stdout.apply((text) => hostRecord.parse(JSON.parse(text)));
  const ssh = record.apply(({ address, port, user, hostKey, privateKeyPath }): SshTarget => ({
    host: address,
    port,
    user,
    hostKey,
    privateKeyPath,
  }));
  return {
    name,
    ssh,
    identity: record.apply(({ identity }) => identity),
    address: record.apply(({ address }) => address),
    ready: [made],
  };
}

/** The address that `.46` means in a subnet, 10.64.7.0/24 for example. */
export function serviceAddressIn(subnet: string, wanted: string): string {
  return subnet.replace(/\.0\/24$/, wanted);
}

/**
 * Makes the hosts of a local stack: machines of their own (systemd, sshd, address, host key) on a bridge of their own
 * on this machine. `pulumi destroy` removes every trace of them.
 */
export function localPlatform(options: LocalPlatformOptions): Platform {
  const made = new LocalLab(options);
  const hosts = [...made.hosts.values()];
  const byName = (value: (host: Host) => pulumi.Output<string>): pulumi.Output<Record<string, string>> =>
    pulumi.all(Object.fromEntries(hosts.map((host) => [host.name, value(host)])));
  return {
    hosts: made.hosts,
    serviceAddress: (_, wanted = ""): ServiceAddress => ({
      address: made.subnet.apply((subnet) => serviceAddressIn(subnet, wanted)),
      movedBy: "host",
    }),
    fence: (host) => ({
      by: "operator",
      command: pulumi.interpolate`${lab} power-cut ${host} --lab ${made.id}`,
    }),
    network: made.subnet,
    outputs: {
      lab: made.id,
      subnet: made.subnet,
      addresses: byName(({ address }) => address),
      aliases: byName(
        ({ name }) => pulumi.interpolate`ssh -F /var/lib/changeover-lab/${made.id}/ssh_config ${name}`,
      ),
    },
  };
}
