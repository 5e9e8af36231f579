import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Opening } from "../platform.ts";

type Rule = aws.types.input.ec2.SecurityGroupIngress;

export interface AwsFirewallArgs {
  readonly vpcId: pulumi.Output<string>;
  /** Network of the VPC. */
  readonly cidr: string;
  /** Networks that may reach the bastion by SSH. */
  readonly operatorCidrs: readonly string[];
  readonly openings: readonly Opening[];
}

const everywhere = [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }];

const tcp = (port: number, description: string, from: Partial<Rule>): Rule => ({
  protocol: "tcp",
  fromPort: port,
  toPort: port,
  description,
  ...from,
});

/**
 * Who may reach whom: operators the bastion, the bastion the hosts, and what the entries of the stack file open.
 */
export class AwsFirewall extends pulumi.ComponentResource {
  readonly bastion: aws.ec2.SecurityGroup;
  readonly hosts: aws.ec2.SecurityGroup;
  readonly #opened: readonly (readonly [Opening, aws.ec2.SecurityGroup])[];
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
    this.#opened = args.openings.map((opening) => [opening, this.#open(opening)]);
    this.registerOutputs();
  }

  /** The groups of a host: those of the entries that it belongs to, besides the one of all hosts. */
  ofHost(host: string): pulumi.Output<string>[] {
    const own = this.#opened.filter(([{ hosts }]) => hosts.includes(host));
    return [this.hosts, ...own.map(([, group]) => group)].map((group) => group.id);
  }

  #open({ name, description, ports }: Opening): aws.ec2.SecurityGroup {
    return this.#group(
      name,
      description,
      ports.map(({ port, purpose, from }) => tcp(port, purpose, this.#sources(from))),
    );
  }

  #sources(from: readonly string[]): Partial<Rule> {
    const networks = from
      .filter((source) => source !== "members")
      .map((source) => (source === "network" ? this.#args.cidr : source));
    return {
      ...(from.includes("members") ? { self: true } : {}),
      ...(networks.length > 0 ? { cidrBlocks: networks } : {}),
    };
  }

  #group(name: string, description: string, ingress: Rule[]): aws.ec2.SecurityGroup {
    return new aws.ec2.SecurityGroup(
      name,
      { vpcId: this.#args.vpcId, description, ingress, egress: everywhere, tags: { Name: name } },
      { parent: this },
    );
  }
}
