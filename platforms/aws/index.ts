import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AwsFirewall } from "./firewall.ts";
import { awsHosts } from "./hosts.ts";
import { AwsMachine } from "./machine.ts";
import { AwsNetwork } from "./network.ts";
import type { Fence, Host, Opening, Platform, ServiceAddress } from "../platform.ts";
import type { AwsConfig } from "./config.ts";
import { requirePrivateKey } from "../ssh.ts";
import { sshConfigOf } from "../ssh-config.ts";

export type AwsPlatformArgs = AwsConfig & { readonly openings: readonly Opening[] };

/**
 * EC2 instances in a VPC of their own behind a bastion, and an Elastic IP for each service address.
 *
 * @throws pulumi.RunError when the private key can't be read.
 */
export function awsPlatform(args: AwsPlatformArgs, opts: pulumi.ComponentResourceOptions = {}): Platform {
  requirePrivateKey(args.ssh);
  const provider = new aws.Provider(
    "aws",
    {
      region: args.network.region as aws.Region,
      defaultTags: { tags: { project: pulumi.getProject(), stack: pulumi.getStack() } },
    },
    { parent: opts.parent },
  );
  return new AwsPlatform(args, provider, opts);
}

/** Networks that clients come from: what comes in by an Elastic IP goes out past the NAT gateway. */
const clientsOf = (openings: readonly Opening[]): string[] =>
  openings.flatMap(({ ports }) =>
    [...new Set(ports.flatMap(({ from }) => from))].filter((source) => source.includes("/")),
  );

class AwsPlatform extends pulumi.ComponentResource implements Platform {
  readonly hosts: ReadonlyMap<string, Host>;
  readonly network: pulumi.Output<string>;
  readonly outputs: Record<string, pulumi.Output<unknown>>;
  readonly #args: AwsPlatformArgs;
  readonly #provider: aws.Provider;
  readonly #network: AwsNetwork;
  readonly #machines: ReadonlyMap<string, AwsMachine>;
  readonly #bastion: aws.ec2.Eip;
  readonly #addresses = new Map<string, aws.ec2.Eip>();

  constructor(args: AwsPlatformArgs, provider: aws.Provider, opts: pulumi.ComponentResourceOptions) {
    super("changeover:platforms:AwsPlatform", "aws", {}, { ...opts, providers: [provider] });
    this.#args = args;
    this.#provider = provider;
    this.#network = this.#makeNetwork();
    this.#machines = this.#makeMachines(this.#makeFirewall());
    this.#bastion = this.#makeBastionAddress();
    this.hosts = awsHosts(
      {
        machines: this.#machines,
        bastion: { name: args.network.bastion, address: this.#bastion },
        login: args.ssh,
      },
      { parent: this },
    );
    this.network = pulumi.output(args.network.cidr);
    this.outputs = this.#describe();
    this.registerOutputs(this.outputs);
  }

  serviceAddress(name: string): ServiceAddress {
    const address = this.#addresses.get(name) ?? this.#makeServiceAddress(name);
    return {
      address: address.publicIp,
      movedBy: "platform",
      move: (name, to, opts) =>
        new aws.ec2.EipAssociation(
          name,
          { allocationId: address.id, instanceId: this.#instanceOf(to), allowReassociation: true },
          { ...opts, provider: this.#provider },
        ),
    };
  }

  /** A stopped instance loses no volume; whoever mends it starts it again, and then takes it off `unreachable`. */
  fence(host: string): Fence {
    return {
      by: "platform",
      declare: (name, opts) =>
        new aws.ec2transitgateway.InstanceState(
          name,
          { instanceId: this.#machine(host).instanceId, state: "stopped", force: true },
          { ...opts, provider: this.#provider, retainOnDelete: true },
        ),
    };
  }

  #makeNetwork(): AwsNetwork {
    const { cidr, zones } = this.#args.network;
    const clients = clientsOf(this.#args.openings);
    return new AwsNetwork("network", { cidr, zones, clients }, { parent: this });
  }

  #makeFirewall(): AwsFirewall {
    const { cidr, operatorCidrs } = this.#args.network;
    const { openings } = this.#args;
    const { vpcId } = this.#network;
    return new AwsFirewall("firewall", { vpcId, cidr, operatorCidrs, openings }, { parent: this });
  }

  #makeMachines(firewall: AwsFirewall): ReadonlyMap<string, AwsMachine> {
    const { network, hosts } = this.#args;
    const operator = new aws.ec2.KeyPair(
      "operator",
      { publicKey: network.operatorPublicKey },
      { parent: this },
    );
    return new Map(
      Object.entries(hosts).map(([name, { zone, instanceType, volumeGiB }]) => {
        const isBastion = name === network.bastion;
        const subnets = isBastion ? this.#network.publicSubnets : this.#network.hostSubnets;
        const subnet = subnets.get(zone);
        if (!subnet) throw new Error(`host ${name} is in the zone ${zone}, which has no subnets`);
        const args = {
          ami: network.ami,
          instanceType,
          volumeGiB,
          subnet,
          keyName: operator.keyName,
          securityGroups: isBastion ? [firewall.bastion.id] : firewall.ofHost(name),
          holdsData: !isBastion,
          dependsOn: [this.#network],
        };
        return [name, new AwsMachine(name, args, { parent: this })];
      }),
    );
  }

  /** It outlives the bastion, so that a rebuilt one is where operators and firewalls expect it. */
  #makeBastionAddress(): aws.ec2.Eip {
    const { bastion } = this.#args.network;
    const instance = this.#machine(bastion).instanceId;
    const tags = { Name: bastion };
    return new aws.ec2.Eip(
      `${bastion}-address`,
      { domain: "vpc", instance, tags },
      { parent: this, dependsOn: [this.#network] },
    );
  }

  #makeServiceAddress(name: string): aws.ec2.Eip {
    const address = new aws.ec2.Eip(
      `${name}-address`,
      { domain: "vpc", tags: { Name: name } },
      { parent: this, protect: true, dependsOn: [this.#network] },
    );
    this.#addresses.set(name, address);
    return address;
  }

  #machine(name: string): AwsMachine {
    const machine = this.#machines.get(name);
    if (!machine) throw new Error(`${name} is no host; hosts: ${[...this.#machines.keys()].join(", ")}`);
    return machine;
  }

  #instanceOf(host: pulumi.Output<string>): pulumi.Output<string> {
    const names = [...this.#machines.keys()];
    const ids = pulumi.all([...this.#machines.values()].map(({ instanceId }) => instanceId));
    return pulumi.all([host, ids]).apply(([name, all]) => {
      const id = all[names.indexOf(name)];
      if (id === undefined) throw new Error(`"${name}" is no host; hosts: ${names.join(", ")}`);
      return id;
    });
  }

  #describe(): Record<string, pulumi.Output<unknown>> {
    const hosts = [...this.hosts.values()];
    const byName = <T>(value: (host: Host) => pulumi.Output<T>): pulumi.Output<Record<string, T>> =>
      pulumi
        .all(hosts.map(value))
        .apply((values) => Object.fromEntries(hosts.map(({ name }, index) => [name, values[index] as T])));
    return {
      addresses: byName(({ address }) => address),
      sshConfig: byName(({ ssh }) => ssh).apply((targets) => sshConfigOf(new Map(Object.entries(targets)))),
    };
  }
}
