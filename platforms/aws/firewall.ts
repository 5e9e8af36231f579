import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Cache, Pair } from "../../config.ts";

type Rule = aws.types.input.ec2.SecurityGroupIngress;

export interface AwsFirewallArgs {
  readonly vpcId: pulumi.Output<string>;
  /** Network of the VPC. */
  readonly cidr: string;
  /** Networks that may reach the bastion by SSH. */
  readonly operatorCidrs: readonly string[];
  readonly pairs: Readonly<Record<string, Pair>>;
  readonly caches: Readonly<Record<string, Cache>>;
}

const everywhere = [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }];

const tcp = (port: number, description: string, from: Partial<Rule>): Rule => ({
  ...{ protocol: "tcp", fromPort: port, toPort: port, description },
  ...from,
});

/**
 * Who may reach whom: operators the bastion, the bastion the hosts, a pair's machines each other, clients the pair, a
 * cache's clients its nodes.
 */
export class AwsFirewall extends pulumi.ComponentResource {
  readonly bastion: aws.ec2.SecurityGroup;
  readonly hosts: aws.ec2.SecurityGroup;
  readonly #pairs: ReadonlyMap<string, aws.ec2.SecurityGroup>;
  readonly #caches: ReadonlyMap<string, aws.ec2.SecurityGroup>;
  readonly #args: AwsFirewallArgs;

  constructor(name: string, args: AwsFirewallArgs, opts: pulumi.ComponentResourceOptions) {
    super("changeover:platforms:AwsFirewall", name, {}, opts);
    this.#args = args;
    this.bastion = this.#group("bastion", "The way in for operators", [
      tcp(22, "SSH of operators", { cidrBlocks: [...args.operatorCidrs] }),
    ]);
    this.hosts = this.#group("hosts", "Hosts behind the bastion", [
      tcp(22, "SSH through the bastion", { securityGroups: [this.bastion.id] }),
    ]);
    this.#pairs = new Map(
      Object.entries(args.pairs).map(([pair, config]) => [pair, this.#pair(pair, config)]),
    );
    this.#caches = new Map(
      Object.entries(args.caches).map(([cache, { port }]) => [cache, this.#cache(cache, port)]),
    );
    this.registerOutputs();
  }

  /** The groups of a host: those of the pairs and caches that it belongs to, besides the one of all hosts. */
  ofHost(host: string): pulumi.Output<string>[] {
    const pairs = Object.entries(this.#args.pairs).filter(([, pair]) =>
      [pair.primary, pair.secondary].includes(host),
    );
    const caches = Object.entries(this.#args.caches).filter(
      ([, { nodes, clients }]) => Object.hasOwn(nodes, host) || clients.includes(host),
    );
    const groups = [
      ...pairs.flatMap(([name]) => this.#pairs.get(name) ?? []),
      ...caches.flatMap(([name]) => this.#caches.get(name) ?? []),
    ];
    return [this.hosts, ...groups].map((group) => group.id);
  }

  #pair(name: string, pair: Pair): aws.ec2.SecurityGroup {
    const { port, peerPort, clients, directories, rsyncPort, indexes, checks } = pair;
    const clientBlocks = { cidrBlocks: [this.#args.cidr, ...clients] };
    const copies = [
      ...(Object.keys(directories).length > 0 ? [rsyncPort] : []),
      ...Object.values(indexes).flatMap((index) => [index.port, index.rsyncPort]),
    ];
    const pages = new Set(Object.values(checks).map((check) => check.port));
    return this.#group(`pair-${name}`, `Machines and clients of the pair ${name}`, [
      tcp(port, "database, between the two machines", { self: true }),
      tcp(peerPort, "records, between the two machines", { self: true }),
      ...copies.map((copied) => tcp(copied, "copies, between the two machines", { self: true })),
      tcp(port, "database, for clients", clientBlocks),
      ...[...pages].map((page) => tcp(page, "pages, for clients", clientBlocks)),
    ]);
  }

  /** Who of them is a client each node says for itself. */
  #cache(name: string, port: number): aws.ec2.SecurityGroup {
    return this.#group(`cache-${name}`, `Nodes and clients of the cache ${name}`, [
      tcp(port, "memcached, from hosts of the cache", { self: true }),
    ]);
  }

  #group(name: string, description: string, ingress: Rule[]): aws.ec2.SecurityGroup {
    return new aws.ec2.SecurityGroup(
      name,
      { vpcId: this.#args.vpcId, description, ingress, egress: everywhere, tags: { Name: name } },
      { parent: this },
    );
  }
}
