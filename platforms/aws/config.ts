import { z } from "zod";
import { hostName, hosts, network, publicKey, ssh } from "../../config/common-fields.ts";
import { listOf, text, wholeNumber } from "../../config/fields.ts";

const zone = (purpose: string) =>
  text(/^[a-z]{2}(-[a-z]+)+-\d[a-h]$/, "an availability zone such as ap-southeast-2a", purpose);

const awsHost = z.strictObject({
  zone: zone("The host's availability zone, one of network.zones."),
  instanceType: text(
    /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/,
    "an EC2 instance type such as m7i.large",
    "The instance's size. A change stops and starts the machine.",
  ).default("t3.small"),
  volumeGiB: wholeNumber(8, 16384, "Size of the host's encrypted volume, in GiB; it can only grow.").default(
    20,
  ),
});

const awsNetwork = z
  .strictObject({
    region: text(
      /^[a-z]{2}(-[a-z]+)+-\d$/,
      "an AWS region such as ap-southeast-2",
      "The region of the VPC and all hosts.",
    ),
    cidr: network("The network of the VPC, /16 to /24; each zone gets two sixteenths of it."),
    zones: listOf(
      zone("An availability zone of the region."),
      "Availability zones that have subnets. Hosts of a pair belong in two, since a zone fails as a whole.",
    ),
    ami: text(
      /^ami-[0-9a-f]{8}([0-9a-f]{9})?$/,
      "an AMI id such as ami-0123456789abcdef0",
      "The Debian 12 image of the region that new hosts start from. Hosts that exist never change theirs.",
    ),
    bastion: hostName("The host that SSH goes through; the only one with a public address."),
    operatorCidrs: listOf(
      network("A network that operators work from."),
      "Networks that may reach the bastion by SSH, and no others.",
    ),
    operatorPublicKey: publicKey(
      ["ssh-ed25519", "ssh-rsa"],
      "The public half of the operator's key; new hosts let it in.",
    ),
  })
  .meta({ description: "The VPC that the hosts are in." });

/** What a stack file says of this platform. */
export const awsFields = { ssh: ssh("admin"), network: awsNetwork, hosts: hosts(awsHost) };

/** The same, checked. */
export type AwsConfig = z.output<z.ZodObject<typeof awsFields>>;
