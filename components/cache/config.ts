import { z } from "zod";
import { hostName, hostNames, unit } from "../../config/common-fields.ts";
import { field, listOf, mapOf, tcpPort, wholeNumber } from "../../config/fields.ts";

/** The port of a cache without `port`. */
export const cachePort = 11211;

/** The longest time that entries may be copied in one go. */
export const maxCopySeconds = 3600;

/** One cache of memcached, sharded over its nodes. */
export const cacheEntry = z.strictObject({
  nodes: mapOf(
    hostNames,
    field(
      z.enum(["in", "out"]),
      "in or out",
      "`in`: a node of the ring. `out`: memcached is removed. Set `out` and update before deleting the line.",
    ),
    "Hosts that run memcached for this cache.",
  ),
  clients: listOf(
    hostName("A host whose programs use the cache."),
    "Hosts that use the cache. All have the same ring. Nodes reject connections from every other host.",
  ),
  port: tcpPort("TCP port of memcached, on each node's own address.").default(cachePort),
  memoryMiB: wholeNumber(8, 1024 * 1024, "Memory limit of each node (MiB).").default(64),
  connections: wholeNumber(16, 65536, "Limit of open connections on each node.").default(1024),
  reloads: listOf(
    unit(
      /^[A-Za-z0-9_][\w@.-]*\.service$/,
      "the name of a systemd unit with `.service`",
      "A unit on the clients.",
    ),
    "Units to reload on each client when its ring changes, if they run. They are never restarted.",
  ).default([]),
  copySeconds: wholeNumber(
    0,
    maxCopySeconds,
    "How long entries may be copied to their new nodes, before and again after a ring changes (seconds). 0: no entry is copied.",
  ).default(120),
  settleSeconds: wholeNumber(
    0,
    600,
    "How long programs take to read a new ring (seconds). Until then, what they store at an old node is copied to the new one.",
  ).default(2),
});

/** An entry of the stack file after its checks. */
export type Cache = Readonly<z.output<typeof cacheEntry>>;
