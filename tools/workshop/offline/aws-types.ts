import { createHash } from "node:crypto";
import type { Recording } from "./recording.ts";
import type { Properties, Value } from "./values.ts";

/** What an output is derived from. */
export interface Facts {
  readonly id: string;
  readonly name: string;
  readonly inputs: Properties;
  readonly region: string;
  readonly recording: Recording;
}

/** What is known of a type; of others, only that they have an id and an arn. */
export interface AwsType {
  /** Its ids are this and 17 hex digits. */
  readonly prefix: string;
  /** Inputs that cannot be changed in place; "all" for types that have no update. */
  readonly fixed: readonly string[] | "all";
  /** The input that the plugin fills in with a name of its own. */
  readonly named?: string;
  readonly outputs?: Readonly<Record<string, (facts: Facts) => Value>>;
}

export const account = "000000000000";

/** Public addresses are of a network that is reserved for documentation. */
const publicNetwork = "203.0.113.0/24";

/** Hex digits that are always the same for the same text. */
export const digits = (text: string, count: number): string =>
  createHash("sha256").update(text).digest("hex").slice(0, count);

const numberOf = (text: string): number => parseInt(digits(text, 6), 16);

export const idOf = (prefix: string, urn: string, inputs: Properties): string =>
  prefix + digits(urn + JSON.stringify(inputs), 17);

/** A thing that belongs to another one and gets an id with it. */
const belonging =
  (prefix: string) =>
  ({ id }: Facts): string =>
    prefix + digits(id + prefix, 17);

const text = (value: Value | undefined): string => (typeof value === "string" ? value : "");

/** An output of the resource that an input names. */
const ofOther = (input: string, output: string, otherwise: string) => (facts: Facts) =>
  facts.recording.find(text(facts.inputs[input]))?.[output] ?? otherwise;

function privateAddress({ id, inputs, recording }: Facts): string {
  const cidr = text(recording.find(text(inputs.subnetId))?.cidrBlock) || "10.0.0.0/16";
  return text(inputs.privateIp) || recording.freeAddress(cidr, numberOf(id));
}

const publicAddress = ({ id, recording }: Facts): string =>
  recording.freeAddress(publicNetwork, numberOf(id));

export const types: Readonly<Record<string, AwsType>> = {
  "ec2/vpc:Vpc": {
    prefix: "vpc-",
    fixed: ["cidrBlock"],
    outputs: {
      mainRouteTableId: belonging("rtb-"),
      defaultRouteTableId: belonging("rtb-"),
      defaultSecurityGroupId: belonging("sg-"),
      defaultNetworkAclId: belonging("acl-"),
      ownerId: () => account,
    },
  },
  "ec2/subnet:Subnet": {
    prefix: "subnet-",
    fixed: ["vpcId", "cidrBlock", "availabilityZone"],
    outputs: {
      availabilityZone: ({ inputs, region }) => inputs.availabilityZone ?? `${region}a`,
      ownerId: () => account,
    },
  },
  "ec2/internetGateway:InternetGateway": { prefix: "igw-", fixed: [], outputs: { ownerId: () => account } },
  "ec2/natGateway:NatGateway": {
    prefix: "nat-",
    fixed: ["allocationId", "subnetId", "connectivityType"],
    outputs: {
      publicIp: ofOther("allocationId", "publicIp", "203.0.113.1"),
      privateIp: privateAddress,
      networkInterfaceId: belonging("eni-"),
    },
  },
  "ec2/routeTable:RouteTable": { prefix: "rtb-", fixed: ["vpcId"], outputs: { ownerId: () => account } },
  "ec2/route:Route": { prefix: "r-", fixed: ["routeTableId", "destinationCidrBlock"] },
  "ec2/routeTableAssociation:RouteTableAssociation": {
    prefix: "rtbassoc-",
    fixed: ["subnetId", "gatewayId"],
  },
  "ec2/securityGroup:SecurityGroup": {
    prefix: "sg-",
    fixed: ["description", "name", "namePrefix", "vpcId"],
    named: "name",
    outputs: { ownerId: () => account },
  },
  "ec2/keyPair:KeyPair": {
    prefix: "key-",
    fixed: ["keyName", "keyNamePrefix", "publicKey"],
    named: "keyName",
    outputs: { keyPairId: ({ id }) => id, keyType: () => "ed25519", fingerprint: ({ id }) => digits(id, 32) },
  },
  "ec2/instance:Instance": {
    prefix: "i-",
    fixed: ["ami", "subnetId", "availabilityZone", "keyName", "privateIp", "associatePublicIpAddress"],
    outputs: {
      privateIp: privateAddress,
      privateDns: ({ id, region }) => `${id}.${region}.compute.internal`,
      publicIp: (facts) => (facts.inputs.associatePublicIpAddress === true ? publicAddress(facts) : ""),
      publicDns: () => "",
      primaryNetworkInterfaceId: belonging("eni-"),
      availabilityZone: (facts) =>
        facts.inputs.availabilityZone ?? ofOther("subnetId", "availabilityZone", `${facts.region}a`)(facts),
      instanceState: () => "running",
    },
  },
  "ec2/eip:Eip": {
    prefix: "eipalloc-",
    fixed: ["domain"],
    outputs: {
      publicIp: publicAddress,
      allocationId: ({ id }) => id,
      privateIp: ofOther("instance", "privateIp", ""),
      associationId: (facts) => (facts.inputs.instance ? belonging("eipassoc-")(facts) : ""),
    },
  },
  "ec2/eipAssociation:EipAssociation": {
    prefix: "eipassoc-",
    fixed: "all",
    outputs: {
      publicIp: ofOther("allocationId", "publicIp", "203.0.113.1"),
      privateIpAddress: ofOther("instanceId", "privateIp", "10.0.0.4"),
      networkInterfaceId: ofOther("instanceId", "primaryNetworkInterfaceId", ""),
    },
  },
  "ec2/networkInterface:NetworkInterface": {
    prefix: "eni-",
    fixed: ["subnetId"],
    outputs: { privateIp: privateAddress, ownerId: () => account },
  },
  "ebs/volume:Volume": { prefix: "vol-", fixed: ["availabilityZone", "encrypted", "kmsKeyId", "snapshotId"] },
  "ec2/volumeAttachment:VolumeAttachment": {
    prefix: "vai-",
    fixed: ["deviceName", "instanceId", "volumeId"],
  },
  "ec2/launchTemplate:LaunchTemplate": {
    prefix: "lt-",
    fixed: ["name", "namePrefix"],
    named: "name",
    outputs: { latestVersion: () => 1, defaultVersion: () => 1 },
  },
  "autoscaling/group:Group": { prefix: "asg-", fixed: ["name", "namePrefix"], named: "name" },
};

/** What functions answer that only read; those not named here answer with their arguments and an id. */
export const functions: Readonly<Record<string, (args: Properties, region: string) => Properties>> = {
  "aws:index/getAvailabilityZones:getAvailabilityZones": (_args, region) => ({
    id: region,
    names: ["a", "b", "c"].map((zone) => region + zone),
    zoneIds: [1, 2, 3].map((zone) => `${digits(region, 4)}-az${String(zone)}`),
  }),
  "aws:index/getRegion:getRegion": (_args, region) => ({ id: region, name: region, region }),
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({
    id: account,
    accountId: account,
    arn: `arn:aws:iam::${account}:user/recording`,
    userId: "RECORDING",
  }),
  "aws:ec2/getAmi:getAmi": (args) => ({
    ...args,
    id: idOf("ami-", "ami", args),
    imageId: idOf("ami-", "ami", args),
    architecture: "x86_64",
    rootDeviceName: "/dev/xvda",
    state: "available",
  }),
};
