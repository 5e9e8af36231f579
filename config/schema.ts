import { z } from "zod";
import { caches } from "../components/cache/config.ts";
import { carriedFields } from "../components/pair/carried-config.ts";
import { appPools } from "../components/app-pool/config.ts";
import { field, listOf, mapOf, type Names, tcpPort, text, wholeNumber } from "./fields.ts";
import { stagedUpgrades } from "../components/staged-upgrade/config.ts";
import { volumeFields } from "../components/shared-volume/config.ts";
import { networkOf } from "../platforms/ipv4.ts";
import { publicKeyType } from "../platforms/public-key.ts";

export const hostNames: Names = {
  pattern: /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  allowed: "lower-case letters, digits and hyphens, beginning with a letter (a host name)",
};

/** They become names of files, units, a cluster, a table of nftables and a database. */
export const pairNames: Names = {
  pattern: /^[a-z][a-z0-9_]{0,30}$/,
  allowed: "at most 31 lower-case letters, digits and underscores, beginning with a letter",
};

const hostName = (purpose: string) => text(hostNames.pattern, hostNames.allowed, purpose);

const network = (purpose: string) =>
  field(
    z.cidrv4().refine((cidr) => networkOf(cidr) !== undefined),
    "an IPv4 network whose host part is zero, for example 203.0.113.0/24",
    purpose,
  );

const publicKey = (types: readonly string[], purpose: string) =>
  field(
    z.string().refine((line) => types.includes(publicKeyType(line) ?? "")),
    `one whole line such as "ssh-ed25519 AAAA…" (${types.join(", ")})`,
    purpose,
  );

const hostKeyTypes = [
  "ssh-ed25519",
  "ssh-rsa",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
];

const hosts = <Value extends z.ZodType>(value: Value) =>
  mapOf(hostNames, value, "The machines of the estate.");

const ssh = (user: string) =>
  z
    .strictObject({
      user: text(
        /^[a-z_][a-z0-9_-]{0,31}$/,
        "a user name",
        "Who logs in; steps are run by `sudo -n` unless it is root.",
      ).default(user),
      privateKeyPath: text(
        /^(~\/|\/)./,
        "an absolute path, or one that begins with ~/",
        "The operator's private key, without a passphrase. Left out: the SSH agent is asked.",
      ).optional(),
    })
    .meta({ description: "How the operator logs in to the hosts." })
    .prefault({});

const address = (purpose: string) => field(z.ipv4(), "an IPv4 address", purpose);

/** The database that the pair replicates: also the name of the role that owns it. */
const database = text(
  /^(?!pg_|(?:postgres|template0|template1|changeover)$)[a-z_][a-z0-9_]{0,62}$/,
  "a PostgreSQL identifier: lower-case letters, digits and underscores; not postgres, template0, template1, changeover, pg_…",
  "The database, and the role that owns it. Left out: the name of the pair.",
);

/** Ports that a pair takes on both of its hosts. */
export const defaultPorts = { port: 5432, peerPort: 5480 } as const;

/** It holds for one epoch, which the refusal names: a line that is left in the file silences nothing later. */
const accepted = (purpose: string) =>
  text(/^[1-9]\d*: \S.*$/, 'an epoch and a reason: "13: I have pulled its plug"', purpose).optional();

const pair = <Address extends z.ZodType>(serviceAddress: Address) =>
  z.strictObject({
    primary: hostName("The machine that is usually production. It stays the primary whatever it runs."),
    secondary: hostName("The machine that is usually the standby."),
    production: hostName(
      "The machine that is to serve users: primary or secondary. A change plans the switch.",
    ),
    serviceAddress,
    database: database.optional(),
    port: tcpPort("TCP port of the database.").default(defaultPorts.port),
    peerPort: tcpPort("TCP port where the two machines ask each other for their records.").default(
      defaultPorts.peerPort,
    ),
    interface: text(
      /^[A-Za-z0-9._-]{1,15}$/,
      "auto, or the name of a network interface",
      "The interface that carries the service address. With auto it is the one that carries the machine's own address.",
    ).default("auto"),
    clients: listOf(
      network("A network whose machines may reach the database."),
      "Networks whose machines may reach the database through the service address, besides the hosts' own.",
    ).default([]),
    checksFrom: text(
      hostNames.pattern,
      "operator, or the name of a host",
      "Where users' view is checked from after a switch: the machine that runs `up`, or a host.",
    ).default("operator"),
    maxLagMiB: wholeNumber(
      1,
      1024 * 1024,
      "A standby further behind, in MiB of write-ahead log, is not switched to.",
    ).default(16),
    maxClockSkewSeconds: wholeNumber(
      1,
      3600,
      "A machine whose clock is further off the operator's is not switched.",
    ).default(5),
    minFreeMiB: wholeNumber(
      1,
      1024 * 1024 * 1024,
      "A machine with less free space for its data, in MiB, is not switched.",
    ).default(512),
    synchronous: field(
      z.boolean(),
      "true or false",
      "Whether a commit is acknowledged only when the standby has it too: an emergency then loses none, and none ends while the standby is away.",
    ).default(false),
    ...carriedFields,
    acceptSplitBrainRisk: accepted(
      "Why it is known that the lost machine serves nobody, where nothing can cut it off.",
    ),
    acceptDataLoss: accepted("Why production may be a machine whose data is known to be old."),
  });

const pairs = <Address extends z.ZodType>(serviceAddress: Address) =>
  mapOf(pairNames, pair(serviceAddress), "Pairs of machines, one of which serves.").default({});

const common = {
  appPools,
  ...volumeFields,
  caches: caches(hostNames),
  stagedUpgrades: stagedUpgrades(hostNames),
  unreachable: listOf(
    hostName("A host that nothing dials."),
    "Hosts that are dead or cut off: nothing dials them, and what must not be skipped on them is refused.",
  ).default([]),
  suspect: listOf(
    hostName("A host that is sick and may still answer."),
    "Hosts that are sick: no step runs on them. A pair whose production is one is served by its other machine, which first gets from it what it still gives (`finalSync`).",
  ).default([]),
  absent: listOf(
    hostName("A host that is out of service."),
    "Hosts that are out of service on purpose: what runs there for pairs is stopped and removed, and what checks a staged upgrade; their data stays. A host leaves the file, a pair or an upgrade only by an update with it here.",
  ).default([]),
  adopt: text(
    /^[0-9a-f]{16}$/,
    "the id of another stack, 16 hexadecimal digits",
    "Take hosts over, on purpose, from the stack with this id, which operated them before. Left out: hosts of other stacks are refused.",
  ).optional(),
};

const platform = <Name extends string>(name: Name) =>
  field(
    z.literal(name),
    "local, inventory or aws",
    "Where hosts come from: made on this Linux machine (local), existing machines (inventory), or EC2 instances (aws).",
  );

const localHost = z
  .strictObject({
    packages: listOf(
      text(/^[a-z0-9][a-z0-9+.-]+$/, "the name of a Debian package", "A package, without a version."),
      "Debian packages that the machine has besides the usual ones. It gets them when it is made: a changed list is for machines made later.",
    ).optional(),
  })
  .meta({ description: "A machine of its own on this Linux machine." });

const inventoryHost = z.strictObject({
  address: address("The machine's address on the internal network, which its peers use too."),
  port: tcpPort("TCP port of its sshd.").default(22),
  user: text(/^[a-z_][a-z0-9_-]{0,31}$/, "a user name", "Who logs in. Left out: ssh.user.").optional(),
  hostKey: publicKey(
    hostKeyTypes,
    "The machine's public host key, from its /etc/ssh/ssh_host_ed25519_key.pub; also its identity: another key is another machine.",
  ),
  bastion: hostName("The host that is dialled first to reach this one. Left out: none is.").optional(),
  fence: text(
    /^\S.*$/,
    "a shell command",
    "Cuts the machine off when it is lost (a power switch, a hypervisor); run where `up` runs, within 60 s. It ends with 0 only when the machine is off or cut off, and may be run twice.",
  ).optional(),
});

const zone = (purpose: string) =>
  text(/^[a-z]{2}(-[a-z]+)+-\d[a-h]$/, "an availability zone such as ap-southeast-2a", purpose);

const awsHost = z.strictObject({
  zone: zone("The availability zone that it is in, one of network.zones."),
  instanceType: text(
    /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/,
    "an EC2 instance type such as m7i.large",
    "Its size. A change stops and starts the machine.",
  ).default("t3.small"),
  volumeGiB: wholeNumber(8, 16384, "Size of its encrypted volume, in GiB; it can only grow.").default(20),
});

const awsNetwork = z
  .strictObject({
    region: text(/^[a-z]{2}(-[a-z]+)+-\d$/, "an AWS region such as ap-southeast-2", "Where all of it is."),
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

const localAddress = text(
  /^\.([2-9]|[1-9]\d)$/,
  'in quotes ".2" to ".99", the last octet in the subnet that the stack gets on this machine',
  "The address that users know, which follows production.",
);

const inventoryAddress = address(
  "The address that users know, which follows production: free, on the network of both machines.",
);

const noAddress = field(
  z.never(),
  "nothing (on aws the pair's Elastic IP is the service address)",
  "Left out: on aws the pair gets an Elastic IP.",
).optional();

/** What a stack file may say, by platform. */
export const stackSchemas = {
  local: z.strictObject({
    platform: platform("local"),
    hosts: hosts(localHost),
    pairs: pairs(localAddress),
    ...common,
  }),
  inventory: z.strictObject({
    platform: platform("inventory"),
    ssh: ssh("root"),
    hosts: hosts(inventoryHost),
    pairs: pairs(inventoryAddress),
    ...common,
  }),
  aws: z.strictObject({
    platform: platform("aws"),
    ssh: ssh("admin"),
    network: awsNetwork,
    hosts: hosts(awsHost),
    pairs: pairs(noAddress),
    ...common,
  }),
};

export type PlatformName = keyof typeof stackSchemas;

/** For a file whose platform is unknown: what can be said all the same. */
export const anyPlatformSchema = z.strictObject({
  platform: field(z.enum(["local", "inventory", "aws"]), "local, inventory or aws", "Where hosts come from."),
  hosts: hosts(z.unknown()),
  ssh: z.unknown().optional(),
  network: z.unknown().optional(),
  pairs: pairs(z.unknown().optional()),
  ...common,
});
