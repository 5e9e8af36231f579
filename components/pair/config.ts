import { z } from "zod";
import { address, hostName, hostNames, network } from "../../config/common-fields.ts";
import { field, listOf, type Names, tcpPort, text, wholeNumber } from "../../config/fields.ts";
import type { PlatformName } from "../../platforms/names.ts";
import { carriedFields } from "./carried-config.ts";

/** They become names of files, units, a cluster, a table of nftables and a database. */
export const pairNames: Names = {
  pattern: /^[a-z][a-z0-9_]{0,30}$/,
  allowed: "at most 31 lower-case letters, digits and underscores, beginning with a letter",
};

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

/** The address that users know, by where hosts come from. */
const serviceAddresses: Readonly<Record<PlatformName, z.ZodType<string | undefined>>> = {
  local: localAddress,
  inventory: inventoryAddress,
  aws: noAddress,
};

/** The schema of a pair on a platform. */
export const pairEntry = (platform: PlatformName | undefined) =>
  z.strictObject({
    primary: hostName("The machine that is usually production. It stays the primary whatever it runs."),
    secondary: hostName("The machine that is usually the standby."),
    production: hostName(
      "The machine that is to serve users: primary or secondary. A change plans the switch.",
    ),
    serviceAddress: platform === undefined ? z.unknown().optional() : serviceAddresses[platform],
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

type Parsed = z.output<ReturnType<typeof pairEntry>>;

/** One pair of machines. `serviceAddress` is left out on `aws` only. */
export type Pair = Readonly<Omit<Parsed, "database" | "serviceAddress">> & {
  readonly database: string;
  readonly serviceAddress?: string;
};
