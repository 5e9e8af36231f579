import type { HostUse, PortUse, Rule } from "../system.ts";
import { at, type Fields, fieldsOf, wordsOf } from "../../config/draft.ts";
import { cachePort } from "./config.ts";
import { nodeComponent } from "./goal.ts";

const nodesOf = ({ nodes }: Fields): string[] => Object.keys(fieldsOf(nodes));
const clientsOf = ({ clients }: Fields): string[] => wordsOf(clients);

/** Where a cache names hosts. */
export const hostsOfCache = (name: string, cache: Fields): HostUse[] => [
  ...nodesOf(cache).map((host) => ({ path: ["nodes", host], host })),
  ...clientsOf(cache).map((host, index) => ({
    path: ["clients", String(index)],
    host,
    once: `one client of ${name}`,
  })),
];

/** The server on each host, and the ring that all clients have. */
export const componentsOfCache = (name: string, cache: Fields): string[] => [
  name,
  ...nodesOf(cache).map((host) => nodeComponent(name, host)),
];

/** Who is a client each node says for itself. */
export const portsOfCache = (cache: Fields): PortUse[] => [
  {
    path: ["port"],
    port: typeof cache.port === "number" ? cache.port : cachePort,
    purpose: "memcached, from hosts of the cache",
    hosts: nodesOf(cache),
    from: ["members"],
  },
];

const emptyRings: Rule = (name, cache) => {
  const states = Object.values(fieldsOf(cache.nodes));
  const none = clientsOf(cache).length === 0 && Array.isArray(cache.clients);
  const path = ["caches", name, "clients"];
  // A cache that goes has all its nodes out, and nobody who uses it.
  if (states.length > 0 && states.every((state) => state === "out"))
    return none ? [] : [at(path, "have no node left; make one `in`, or name no client")];
  return none ? [at(path, "missing; name the hosts that use the cache")] : [];
};

/** What is wrong between a cache and the rest of a stack file. */
export const cacheRules: readonly Rule[] = [emptyRings];
