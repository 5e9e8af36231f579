import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { contains, type Network, networkOf } from "../ipv4.ts";
import { subnetsOf } from "../subnets.ts";

export interface AwsNetworkArgs {
  /** Network of the VPC, `/16` to `/24`. */
  readonly cidr: string;
  readonly zones: readonly string[];
  /** Networks whose machines use service addresses. */
  readonly clients: readonly string[];
}

/** A VPC whose hosts have no public address of their own, and reach the internet through a NAT gateway. */
export class AwsNetwork extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  /** Subnets for the bastion, by zone. */
  readonly publicSubnets: ReadonlyMap<string, aws.ec2.Subnet>;
  /** Subnets for the hosts, by zone. */
  readonly hostSubnets: ReadonlyMap<string, aws.ec2.Subnet>;

  constructor(name: string, args: AwsNetworkArgs, opts: pulumi.ComponentResourceOptions) {
    super("changeover:platforms:AwsNetwork", name, {}, opts);
    const vpc = this.#vpc(args.cidr);
    const internet = new aws.ec2.InternetGateway("internet", { vpcId: vpc.id }, { parent: this });
    this.publicSubnets = this.#subnets(vpc, args, "public");
    this.hostSubnets = this.#subnets(vpc, args, "hosts");
    const nat = this.#nat(args.zones, internet);
    this.#routes("public", vpc, this.publicSubnets, [{ cidrBlock: "0.0.0.0/0", gatewayId: internet.id }]);
    this.#routes("hosts", vpc, this.hostSubnets, [
      { cidrBlock: "0.0.0.0/0", natGatewayId: nat.id },
      // What comes in by an Elastic IP must not go out by the NAT gateway. The price: a host that holds none can
      // open no connection to these networks, only answer through the bastion.
      ...outside(args.cidr, args.clients).map((cidrBlock) => ({ cidrBlock, gatewayId: internet.id })),
    ]);
    this.vpcId = vpc.id;
    this.registerOutputs({ vpcId: vpc.id });
  }

  #vpc(cidrBlock: string): aws.ec2.Vpc {
    return new aws.ec2.Vpc(
      "vpc",
      { cidrBlock, enableDnsHostnames: true, enableDnsSupport: true },
      { parent: this },
    );
  }

  #subnets(
    vpc: aws.ec2.Vpc,
    { cidr, zones }: AwsNetworkArgs,
    kind: "public" | "hosts",
  ): ReadonlyMap<string, aws.ec2.Subnet> {
    return new Map(
      [...subnetsOf(cidr, zones)].map(([availabilityZone, subnets]) => {
        const name = `${kind}-${availabilityZone}`;
        return [
          availabilityZone,
          new aws.ec2.Subnet(
            name,
            {
              vpcId: vpc.id,
              availabilityZone,
              cidrBlock: subnets[kind],
              mapPublicIpOnLaunch: false,
              tags: { Name: name },
            },
            { parent: this },
          ),
        ];
      }),
    );
  }

  /** One for all zones: hosts fetch packages through it, and no user's traffic passes it. */
  #nat(zones: readonly string[], internet: aws.ec2.InternetGateway): aws.ec2.NatGateway {
    const subnet = this.publicSubnets.get(zones[0] ?? "");
    if (!subnet) throw new Error("the network has no zones; name at least one in changeover:network.zones");
    const options = { parent: this, dependsOn: [internet] };
    const address = new aws.ec2.Eip("nat", { domain: "vpc", tags: { Name: "nat" } }, options);
    return new aws.ec2.NatGateway("nat", { allocationId: address.id, subnetId: subnet.id }, options);
  }

  #routes(
    name: string,
    vpc: aws.ec2.Vpc,
    subnets: ReadonlyMap<string, aws.ec2.Subnet>,
    routes: aws.types.input.ec2.RouteTableRoute[],
  ): void {
    const table = new aws.ec2.RouteTable(
      name,
      { vpcId: vpc.id, routes, tags: { Name: name } },
      { parent: this },
    );
    for (const [zone, subnet] of subnets) {
      new aws.ec2.RouteTableAssociation(
        `${name}-${zone}`,
        { routeTableId: table.id, subnetId: subnet.id },
        { parent: this },
      );
    }
  }
}

/** The networks that are not part of the VPC, each once, in a fixed order. */
function outside(cidr: string, networks: readonly string[]): string[] {
  const vpc = networkOf(cidr);
  const isOutside = (network: Network | undefined) => Boolean(vpc && network && !contains(vpc, network));
  return [...new Set(networks)].filter((text) => isOutside(networkOf(text))).sort();
}
