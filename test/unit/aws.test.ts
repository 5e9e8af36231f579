import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { openingsOf, parseConfig } from "../../config.ts";
import type { AwsConfig } from "../../platforms/aws/config.ts";
import { hostKeyOf } from "../../platforms/aws/host-key.ts";
import { awsPlatform } from "../../platforms/aws/index.ts";
import type { Platform } from "../../platforms/platform.ts";
import { type Declared, declaredBy, isSecret, type Outputs, valueOf } from "../support/mocks.ts";
import { committedStack } from "../support/stack-file.ts";

const privateKeyPath = import.meta.filename;
const config = parseConfig(
  { ...committedStack("Pulumi.prod.yaml"), ssh: { privateKeyPath } },
  "Pulumi.prod.yaml",
);
const seed = Buffer.alloc(32, 7).toString("base64");
const hostKey = hostKeyOf(seed).publicKey;
const privateIps: Record<string, string> = {
  aud: "10.20.0.10",
  slayer: "10.20.128.11",
  megadeth: "10.20.144.12",
};

const outputs: Outputs = (type, name) => {
  if (type === "random:index/randomBytes:RandomBytes") return { base64: seed };
  if (type === "aws:ec2/instance:Instance") return { privateIp: privateIps[name] };
  if (type === "aws:ec2/eip:Eip") return { publicIp: name === "aud-address" ? "192.0.2.10" : "192.0.2.46" };
  return {};
};

let platform: Platform;
let declared: Declared[];

beforeAll(async () => {
  const run = await declaredBy(() => {
    const made = awsPlatform({ ...(config as unknown as AwsConfig), openings: openingsOf(config) });
    made
      .serviceAddress("sounz", undefined)
      .move?.("sounz-switch-move-address", pulumi.output("megadeth"), {});
    return made;
  }, outputs);
  platform = run.result;
  declared = run.declared;
});

const of = (type: string) => declared.filter((resource) => resource.type === `aws:ec2/${type}`);
/** What each resource has, by its name: they are declared in an order that means nothing. */
const byName = (resources: readonly Declared[], value: (resource: Declared) => unknown) =>
  Object.fromEntries(resources.map((resource) => [resource.name, value(resource)]));
const named = (type: string, name: string) => of(type).find((resource) => resource.name === name);

describe("machines on aws", () => {
  it("are asked for their metadata with a token, from the machine itself only", () => {
    const wanted = { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 };
    expect(byName(of("instance:Instance"), ({ inputs }) => inputs.metadataOptions)).toEqual({
      aud: wanted,
      slayer: wanted,
      megadeth: wanted,
    });
  });

  it("have encrypted volumes, which outlive the machine where they hold data", () => {
    expect(byName(of("instance:Instance"), ({ inputs }) => inputs.rootBlockDevice)).toEqual({
      aud: { encrypted: true, volumeType: "gp3", volumeSize: 8, deleteOnTermination: true },
      slayer: { encrypted: true, volumeType: "gp3", volumeSize: 100, deleteOnTermination: false },
      megadeth: { encrypted: true, volumeType: "gp3", volumeSize: 100, deleteOnTermination: false },
    });
  });

  it("get no public address of their own, whatever the subnet says [001-117]", () => {
    for (const { inputs } of of("instance:Instance")) expect(inputs.associatePublicIpAddress).toBe(false);
    for (const { inputs } of of("subnet:Subnet")) expect(inputs.mapPublicIpOnLaunch).toBe(false);
    expect(byName(of("eip:Eip"), ({ inputs }) => inputs.instance)).toEqual({
      nat: undefined,
      "aud-address": "aud-id",
      "sounz-address": undefined,
    });
  });

  it("are protected where they hold data", () => {
    expect(byName(of("instance:Instance"), ({ protect }) => protect)).toEqual({
      aud: false,
      slayer: true,
      megadeth: true,
    });
  });

  it("are not replaced for a newer image, another key, or an Elastic IP that points at them", () => {
    for (const { ignoreChanges } of of("instance:Instance"))
      expect(ignoreChanges).toEqual(["ami", "userData", "keyName", "associatePublicIpAddress"]);
  });

  it("start with the host key that the program knows, which nobody reads in a preview or the state", () => {
    const slayer = named("instance:Instance", "slayer");
    expect(slayer?.inputs.userData).toContain(hostKey);
    expect(slayer?.inputs.userData).toContain("BEGIN OPENSSH PRIVATE KEY");
    expect(slayer?.secrets).toEqual(["userData"]);
  });

  it("stand in the zones that the config names, the bastion alone in a public subnet", () => {
    expect(byName(of("instance:Instance"), ({ inputs }) => inputs.subnetId)).toEqual({
      aud: "public-ap-southeast-2a-id",
      slayer: "hosts-ap-southeast-2a-id",
      megadeth: "hosts-ap-southeast-2b-id",
    });
  });

  it("are waited for once each, by their instance's id", () => {
    const waits = declared.filter(({ name }) => name.endsWith("-answers"));
    expect(byName(waits, ({ inputs }) => inputs.triggers)).toEqual(
      Object.fromEntries(
        ["aud", "slayer", "megadeth"].map((name) => [
          `${name}-answers`,
          [{ says: `${name} has started and answers`, machine: `${name}-id` }],
        ]),
      ),
    );
    for (const wait of waits) expect(wait.secrets).toEqual([]);
  });
});

describe("the network on aws", () => {
  it("leads hosts out by the NAT gateway, and answers to clients back the way they came", () => {
    expect(byName(of("routeTable:RouteTable"), ({ inputs }) => inputs.routes)).toEqual({
      public: [{ cidrBlock: "0.0.0.0/0", gatewayId: "internet-id" }],
      hosts: [
        { cidrBlock: "0.0.0.0/0", natGatewayId: "nat-id" },
        { cidrBlock: "198.51.100.0/24", gatewayId: "internet-id" },
        { cidrBlock: "203.0.113.0/24", gatewayId: "internet-id" },
      ],
    });
  });

  it("lets operators in to the bastion, the bastion to the hosts, and clients to the pair [002-022] [002-024]", () => {
    const ssh = { protocol: "tcp", fromPort: 22, toPort: 22 };
    const clients = ["10.20.0.0/16", "203.0.113.0/24", "198.51.100.0/24"];
    const port = (number: number) => ({ protocol: "tcp", fromPort: number, toPort: number });
    expect(byName(of("securityGroup:SecurityGroup"), ({ inputs }) => inputs.ingress)).toEqual({
      bastion: [{ ...ssh, description: "SSH of operators", cidrBlocks: ["203.0.113.0/24"] }],
      hosts: [{ ...ssh, description: "SSH through the bastion", securityGroups: ["bastion-id"] }],
      "pair-sounz": [
        { ...port(5432), description: "database, between the two machines", self: true },
        { ...port(5480), description: "records, between the two machines", self: true },
        ...[18993, 8983, 18983].map((copied) => ({
          ...port(copied),
          description: "copies, between the two machines",
          self: true,
        })),
        { ...port(5432), description: "database, for clients", cidrBlocks: clients },
        { ...port(80), description: "pages, for clients", cidrBlocks: clients },
      ],
    });
  });

  it("puts each machine into the groups of what it runs", () => {
    expect(byName(of("instance:Instance"), ({ inputs }) => inputs.vpcSecurityGroupIds)).toEqual({
      aud: ["bastion-id"],
      slayer: ["hosts-id", "pair-sounz-id"],
      megadeth: ["hosts-id", "pair-sounz-id"],
    });
  });
});

describe("the service address on aws", () => {
  it("is one protected Elastic IP for each pair", () => {
    const addresses = of("eip:Eip").filter(({ protect }) => protect);
    expect(addresses.map(({ name }) => name)).toEqual(["sounz-address"]);
  });

  it("is moved by the platform, to the machine that the transition names", async () => {
    const { address, movedBy } = platform.serviceAddress("sounz", undefined);
    expect([await valueOf(address), movedBy]).toEqual(["192.0.2.46", "platform"]);
    const move = named("eipAssociation:EipAssociation", "sounz-switch-move-address");
    expect(move?.inputs).toEqual({
      allocationId: "sounz-address-id",
      instanceId: "megadeth-id",
      allowReassociation: true,
    });
    expect(move?.provider).toMatch(/pulumi:providers:aws::aws::/);
  });

  it("is made once, whoever asks for it again", async () => {
    const { result, declared: again } = await declaredBy(() => {
      const made = awsPlatform({ ...(config as unknown as AwsConfig), openings: openingsOf(config) });
      return [made.serviceAddress("sounz", undefined), made.serviceAddress("sounz", undefined)];
    }, outputs);
    expect(await Promise.all(result.map(({ address }) => valueOf(address)))).toEqual([
      "192.0.2.46",
      "192.0.2.46",
    ]);
    expect(again.filter(({ name }) => name === "sounz-address")).toHaveLength(1);
  });
});

describe("hosts on aws", () => {
  it("are reached through the bastion by their private address [002-023] [002-024] [002-025]", async () => {
    const login = { port: 22, user: "admin", hostKey, privateKeyPath };
    const aud = { ...login, host: "192.0.2.10" };
    const targets = [...platform.hosts.values()].map(({ name, ssh }) =>
      valueOf(ssh).then((target) => [name, target]),
    );
    expect(await Promise.all(targets)).toEqual([
      ["aud", aud],
      ["slayer", { ...login, host: "10.20.128.11", proxy: aud }],
      ["megadeth", { ...login, host: "10.20.144.12", proxy: aud }],
    ]);
  });

  it("are known by their instance, and to their peers by their private address", async () => {
    const slayer = platform.hosts.get("slayer");
    if (!slayer) throw new Error("no slayer");
    expect(await valueOf(slayer.identity)).toBe("slayer-id");
    expect(await valueOf(slayer.address)).toBe("10.20.128.11");
    expect(await Promise.all([slayer.ssh, slayer.identity, slayer.address].map(isSecret))).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("have aliases in an ssh_config among the stack's outputs [002-026] [002-114]", async () => {
    const text = await valueOf(platform.outputs.sshConfig ?? pulumi.output(""));
    expect(String(text).split("\n\n")[1]).toBe(
      [
        "Host slayer",
        "  HostName 10.20.128.11",
        "  Port 22",
        "  User admin",
        `  IdentityFile "${privateKeyPath}"`,
        "  IdentitiesOnly yes",
        "  ProxyJump aud",
        "  HostKeyAlias slayer",
        "  StrictHostKeyChecking yes",
        "  UserKnownHostsFile /dev/null",
        `  KnownHostsCommand /bin/echo slayer ${hostKey}`,
      ].join("\n"),
    );
  });

  it("are all made by the one provider of the region", () => {
    const made = declared.filter(({ type }) => type.startsWith("aws:"));
    expect(made.length).toBeGreaterThan(20);
    expect(made.filter(({ provider }) => !/pulumi:providers:aws::aws::/.test(provider))).toEqual([]);
  });
});
