import { z } from "zod";
import { address, hostName, hostNames, network } from "../../config/common-fields.ts";
import { field, listOf, tcpPort, text, wholeNumber } from "../../config/fields.ts";
import type { PlatformName } from "../../platforms/names.ts";
import { carriedFields } from "./carried-config.ts";

/** Names of databases: each is also that of an owner, and stands in pg_hba.conf, which has words of its own. */
export const databaseNames = {
  pattern:
    /^(?!pg_|changeover|(?:postgres|template0|template1|all|none|public|replication|sameuser|samerole|samegroup|session_user|current_user|current_role|user)$)[a-z_][a-z0-9_]{0,62}$/,
  allowed:
    "a PostgreSQL identifier: lower-case letters, digits and underscores; no word of PostgreSQL (postgres, template1, all, replication, pg_…), not changeover…",
};

/** The database of the pair; its owner has the same name. */
const database = text(
  databaseNames.pattern,
  databaseNames.allowed,
  "The database and its owner. Left out: the name of the pair.",
);

/** Default ports of a pair, on both machines. */
export const defaultPorts = { port: 5432, peerPort: 5480 } as const;

/** It is valid for one epoch, which the refusal names, so a line left in the file accepts nothing later. */
const accepted = (purpose: string) =>
  text(/^[1-9]\d*: \S.*$/, 'an epoch and a reason: "13: I pulled the plug of slayer"', purpose).optional();

const localAddress = text(
  /^\.([2-9]|[1-9]\d)$/,
  'in quotes ".2" to ".99", the last octet in the subnet that the stack gets on this machine',
  "The service address: clients connect to it, and it follows production.",
);

const inventoryAddress = address(
  "The service address: clients connect to it, and it follows production. A free address in the network of both machines.",
);

const noAddress = field(
  z.never(),
  "nothing (on aws the pair's Elastic IP is the service address)",
  "Always left out: on aws the pair gets an Elastic IP.",
).optional();

/** The field of the service address, by platform. */
const serviceAddresses: Readonly<Record<PlatformName, z.ZodType<string | undefined>>> = {
  local: localAddress,
  inventory: inventoryAddress,
  aws: noAddress,
};

/** The schema of a pair on a platform. */
export const pairEntry = (platform: PlatformName | undefined) =>
  z.strictObject({
    primary: hostName("The machine that is usually production. It stays the primary in any role."),
    secondary: hostName("The machine that is usually the standby."),
    production: hostName("The machine that serves users: primary or secondary. Changing it plans a switch."),
    serviceAddress: platform === undefined ? z.unknown().optional() : serviceAddresses[platform],
    database: database.optional(),
    port: tcpPort("TCP port of the database.").default(defaultPorts.port),
    peerPort: tcpPort("TCP port on which each machine answers the other's requests for its records.").default(
      defaultPorts.peerPort,
    ),
    interface: text(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/,
      "auto, or the name of a network interface",
      "The interface of the service address. auto: the interface that has the machine's own address.",
    ).default("auto"),
    clients: listOf(
      network("A network whose machines may connect to the database."),
      "Networks whose machines may connect to the database through the service address, besides the hosts' own network.",
    ).default([]),
    checksFrom: text(
      hostNames.pattern,
      "operator, or the name of a host",
      "Where the service is checked from after a switch: the machine that runs `up` (operator), or a host.",
    ).default("operator"),
    maxLagMiB: wholeNumber(
      1,
      1024 * 1024,
      "Refuse to switch to a standby that is further behind (MiB of write-ahead log).",
    ).default(16),
    maxClockSkewSeconds: wholeNumber(
      1,
      3600,
      "Refuse to start when a machine's clock differs more from the operator's (seconds).",
    ).default(5),
    minFreeMiB: wholeNumber(
      1,
      1024 * 1024 * 1024,
      "Refuse to start when a machine has less free space for its data (MiB).",
    ).default(512),
    synchronous: field(
      z.boolean(),
      "true or false",
      "true: a commit waits until the standby has it. An emergency then loses no commit; without a standby every commit waits.",
    ).default(false),
    ...carriedFields,
    acceptSplitBrainRisk: accepted(
      "How you know that the lost machine is off, when no fence can cut it off.",
    ),
    acceptDataLoss: accepted(
      "Why a machine with old data may become production, or why a switch may lose what its preflight names.",
    ),
  });

type Parsed = z.output<ReturnType<typeof pairEntry>>;

/** One pair of machines. `serviceAddress` is left out on `aws` only. */
export type Pair = Readonly<Omit<Parsed, "database" | "serviceAddress">> & {
  readonly database: string;
  readonly serviceAddress?: string;
};
