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

/** Components of a cache: the ring of all clients, and each node. */
export const componentsOfCache = (name: string, cache: Fields): string[] => [
  name,
  ...nodesOf(cache).map((host) => nodeComponent(name, host)),
];

/** Open to all hosts of the cache; each node's own rules reject hosts that are not clients. */
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
  const noClient = clientsOf(cache).length === 0 && Array.isArray(cache.clients);
  const path = ["caches", name, "clients"];
  // A cache that is being removed has all nodes `out`, and no client.
  if (states.length > 0 && states.every((state) => state === "out"))
    return noClient ? [] : [at(path, "have no node; set one node to `in`, or remove all clients")];
  return noClient ? [at(path, "missing; name the hosts that use the cache")] : [];
};

/** What is checked between the fields of a cache and the rest of the stack file. */
export const cacheRules: readonly Rule[] = [emptyRings];
