import { z } from "zod";
import { hostName, hostNames } from "../../config/common-fields.ts";
import { field, listOf, mapOf, type Names, tcpPort, text, wholeNumber } from "../../config/fields.ts";

/** They become names of files, units, a table of nftables and, before a hyphen, of records on hosts. */
export const cacheNames: Names = {
  pattern: /^[a-z][a-z0-9_]{0,30}$/,
  allowed: "at most 31 lower-case letters, digits and underscores, beginning with a letter",
};

/** The port of a cache that names none. */
export const cachePort = 11211;

/** One cache of memcached, sharded over its nodes. */
export const cacheEntry = z.strictObject({
  nodes: mapOf(
    hostNames,
    field(
      z.enum(["in", "out"]),
      "in or out",
      "Whether it is a node of the ring; `out`: it has no server. It leaves the file only after an update with `out`.",
    ),
    "The hosts that run a memcached server for it.",
  ),
  clients: listOf(
    hostName("A host whose programs use the cache."),
    "The hosts that use it: they have the ring, the same on each, and no others are let in.",
  ),
  port: tcpPort("TCP port of its servers, on each host's own address.").default(cachePort),
  memoryMiB: wholeNumber(8, 1024 * 1024, "What each node may hold, in MiB.").default(64),
  connections: wholeNumber(16, 65536, "Connections that each node takes at once.").default(1024),
  reloads: listOf(
    text(/^[\w@.-]+\.service$/, "the name of a systemd unit with `.service`", "A unit on the clients."),
    "Units that are reloaded on each client when it has another ring, where they run; they are never restarted.",
  ).default([]),
  copySeconds: wholeNumber(
    0,
    3600,
    "How long entries may be copied to the nodes that a new ring gives them to, before and after the change; 0: none is.",
  ).default(120),
  settleSeconds: wholeNumber(
    0,
    600,
    "How long programs may take to read a new ring; until then what they store at the old node is copied on.",
  ).default(2),
});

/** The same, checked. */
export type Cache = Readonly<z.output<typeof cacheEntry>>;
