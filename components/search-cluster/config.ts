import { z } from "zod";
import { folder, hostName, hostNames, network, owner } from "../../config/common-fields.ts";
import { indexFields } from "./indexes/config.ts";
import { field, listOf, mapOf, type Names, tcpPort, text, wholeNumber } from "../../config/fields.ts";
import { snapshotFields } from "./snapshots/config.ts";

import { panicFields } from "./panic/config.ts";

/** What a node does beside answering requests; a node without any role is a coordinator. */
export const roleNames = ["data", "manager", "ingest"] as const;

/** The wanted states of a node. */
export const nodeStates = ["in", "drained", "out"] as const;

/** Ports of a cluster whose entry names none. */
export const defaultPorts = { port: 9200, transportPort: 9300 } as const;

/** Versions become names of folders. */
export const versionNames: Names = {
  pattern: /^\d{1,3}\.\d{1,3}\.\d{1,3}$/,
  allowed: "a version: 2.19.5",
};

/** Settings of the engine, as they stand in its file. */
export const settingNames: Names = {
  pattern: /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$/,
  allowed: "a setting of the engine, such as indices.memory.index_buffer_size",
  taken: (name) => taken.find(([pattern]) => pattern.test(name))?.[1],
};

const taken: readonly (readonly [RegExp, string])[] = [
  [/allocation/, "the program sets allocation itself, for the time of a step, and puts back what it found"],
  [/^cluster\.(initial_|name$)/, "the program forms the cluster, once"],
  [
    /^(discovery|network|path|node(?!\.store\.allow_mmap$))\.|^(http|transport)\.(port|host|bind|publish|tcp|profiles)/,
    "the program writes it itself",
  ],
];

const indexNames: Names = {
  pattern: /^[a-z0-9.][a-z0-9._-]{0,254}$/,
  allowed: "the name of an index",
};

const node = z.strictObject({
  zone: text(/^[a-z0-9][a-z0-9_-]{0,30}$/, "the name of a zone", "The zone that the node is in.").default(
    "safe",
  ),
  roles: listOf(
    field(z.enum(roleNames), "data, manager or ingest", "What the node does."),
    "data: it holds shards. manager: it votes, and may be elected. Empty: a coordinator, which answers requests only.",
  ).default(["data"]),
  is: field(
    z.enum(nodeStates),
    "in, drained or out",
    "in: the node serves. drained: it runs and holds no shard. out: it is drained, has no vote and is stopped. Set `out` and update before deleting the line.",
  ).default("in"),
});

const seconds = z
  .strictObject({
    stop: wholeNumber(5, 600, "How long a node may take to stop (seconds).").default(60),
    start: wholeNumber(10, 3600, "How long a started node may take to join (seconds).").default(120),
    cover: wholeNumber(
      10,
      86400,
      "How long a node waits for another started copy of each of its shards before it is stopped (seconds).",
    ).default(1800),
  })
  .prefault({});

const drain = z
  .strictObject({
    waitMinutes: wholeNumber(
      0,
      1440,
      "How long one update waits for a node that is going `out` to lose its last shard (minutes). The next update goes on.",
    ).default(10),
    mibPerSecond: wholeNumber(
      0,
      100000,
      "Limit of recovery on each node while a drain runs (MiB/s). 0: as the cluster has it.",
    ).default(0),
    leaseHours: wholeNumber(
      1,
      720,
      "After so many hours without an update a drain is given up, and the settings are put back as they were found.",
    ).default(48),
  })
  .prefault({});

/** One cluster of OpenSearch or Elasticsearch. */
export const searchEntry = z.strictObject({
  engine: field(
    z.enum(["opensearch", "elasticsearch"]),
    "opensearch or elasticsearch",
    "The program that the nodes run.",
  ),
  version: text(
    versionNames.pattern,
    versionNames.allowed,
    "The version that the nodes run, one of `versions`.",
  ),
  versions: mapOf(
    versionNames,
    z.strictObject({
      archive: text(
        /^((?!-)[\w.-][\w./-]*|\/[\w./-]+|https?:\/\/\S+)\.(tar\.gz|tgz)$/,
        "a .tar.gz file: a path from the project's folder, or an http(s) URL that the nodes reach",
        "The packed distribution, with its modules and plugins.",
      ),
      sha256: text(
        /^[0-9a-f]{64}$/,
        "64 hexadecimal digits",
        "The archive's SHA-256. A file with another SHA-256 is refused.",
      ),
    }),
    "Distributions by version.",
  ),
  nodes: mapOf(hostNames, node, "Hosts that run a node of this cluster."),
  coordinator: hostName(
    "The node that is asked first about the cluster. It should hold no data. Left out: any node is asked.",
  ).optional(),
  attribute: text(
    /^[a-z][a-z0-9_]{0,30}$/,
    "the name of an attribute",
    "The nodes' attribute that has the zone.",
  ).default("zone"),
  awareness: field(
    z.boolean(),
    "true or false",
    "true: copies of a shard are spread over the zones (allocation awareness).",
  ).default(true),
  spotZones: listOf(
    text(/^[a-z0-9][a-z0-9_-]{0,30}$/, "the name of a zone", "A zone whose nodes may vanish at any time."),
    "Zones whose nodes may vanish at any time.",
  ).default(["spot"]),
  clearSpot: field(
    z.boolean(),
    "true or false",
    "true: a roll first moves every shard out of the spot zones, and back at its end. false: copies there count while a safe node is restarted.",
  ).default(true),
  settings: mapOf(
    settingNames,
    text(/^[^\p{Cc}]{1,1024}$/u, "a text of one line", "The setting's value."),
    "Settings of the engine in each node's file. Put no secrets here.",
  ).default({}),
  heapMiB: wholeNumber(64, 31 * 1024, "Heap of each node with data (MiB).").default(1024),
  coordinatorHeapMiB: wholeNumber(64, 31 * 1024, "Heap of each node without data (MiB).").default(512),
  port: tcpPort("TCP port for requests, on each node's own address.").default(defaultPorts.port),
  transportPort: tcpPort("TCP port between the nodes.").default(defaultPorts.transportPort),
  clients: listOf(
    network("A network, such as the one of the application's servers: 10.0.7.0/24."),
    "Networks that may send requests. Everybody else but the nodes is rejected: there is no login and no encryption.",
  ).default([]),
  data: folder("Folder of the data on each node. Left out: /var/lib/ and the cluster's name.").optional(),
  owner: owner("The user that runs the nodes.").default("search"),
  ownerUid: wholeNumber(
    100,
    59999,
    "User ID of the owner, the same on every node, because snapshots on shared volumes belong to user IDs.",
  ).default(9200),
  bounce: text(
    /^[^\p{Cc}"'\\]{1,80}$/u,
    "at most 80 characters without quotes, such as 2026-11-30 new kernel",
    "Another text restarts each node once, one after the other.",
  ).optional(),
  accept: mapOf(
    indexNames,
    text(/^[^\p{Cc}]{1,200}$/u, "a reason", "Why it may be red while a node restarts."),
    "Indexes without a replica that may be red while their node restarts.",
  ).default({}),
  singleManager: text(
    /^[^\p{Cc}]{1,200}$/u,
    "a reason",
    "Why one or two managers are enough: the cluster stands still while one of them is away.",
  ).optional(),
  snapshots: snapshotFields.optional(),
  ...panicFields,
  drain,
  indexes: indexFields,
  seconds,
});

/** An entry of the stack file after its checks. */
export type SearchCluster = Readonly<z.output<typeof searchEntry>>;

/** One node of it. */
export type SearchNode = Readonly<z.output<typeof node>>;
