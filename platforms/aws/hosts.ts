import { join } from "node:path";
import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { localProgram } from "../../transition/start.ts";
import { localStep } from "../../transition/step.ts";
import type { Host, SshTarget } from "../platform.ts";
import type { AwsMachine } from "./machine.ts";

export interface AwsHostsArgs {
  readonly machines: ReadonlyMap<string, AwsMachine>;
  readonly bastion: { readonly name: string; readonly address: aws.ec2.Eip };
  readonly login: { readonly user: string; readonly privateKeyPath?: string };
}

const awaitSsh = join(import.meta.dirname, "await-ssh.ts");

/** The machines as hosts: the bastion by its public address, all others through it by their private one. */
export function awsHosts(args: AwsHostsArgs, opts: pulumi.CustomResourceOptions): ReadonlyMap<string, Host> {
  const { machines, bastion } = args;
  const target = (address: pulumi.Output<string>, { hostKey }: AwsMachine) =>
    pulumi
      .all([address, hostKey])
      .apply(([host, key]): SshTarget => ({ host, port: 22, ...args.login, hostKey: key }));
  const jump = machines.get(bastion.name);
  if (!jump)
    throw new Error(`the bastion ${bastion.name} is no host; hosts: ${[...machines.keys()].join(", ")}`);
  const proxy = target(bastion.address.publicIp, jump);
  const sshTo = (machine: AwsMachine): pulumi.Output<SshTarget> =>
    machine === jump
      ? proxy
      : pulumi.all([target(machine.privateIp, machine), proxy]).apply(([to, by]) => ({ ...to, proxy: by }));
  return new Map(
    [...machines].map(([name, machine]) => {
      const ssh = sshTo(machine);
      const ready = answers(name, machine, ssh, { ...opts, dependsOn: [machine, bastion.address] });
      return [name, { name, ssh, identity: machine.instanceId, address: machine.privateIp, ready: [ready] }];
    }),
  );
}

/** A new machine refuses connections while it starts: it is waited for once, before the first step dials it. */
function answers(
  name: string,
  { instanceId }: AwsMachine,
  ssh: pulumi.Output<SshTarget>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const triggers = instanceId.apply((id): Record<string, string> => ({
    says: `${name} has started and answers`,
    machine: id,
  }));
  const create = localProgram(awaitSsh, name);
  return localStep(`${name}-answers`, { create, stdin: pulumi.jsonStringify(ssh), triggers }, opts);
}
