import type { LookRequest, Seen } from "../system.ts";
import { type CacheFacts, foreignAddresses, shownHash } from "./decide.ts";
import { nodeComponent } from "./goal.ts";

/** What the state says of a cache. */
export interface CacheExpected {
  readonly port: number;
  readonly nodes: Readonly<Record<string, "in" | "out">>;
  readonly clients: readonly string[];
  /** By host of `nodes`: its place, `address:port`. */
  readonly places: Readonly<Record<string, string>>;
  readonly sha256: string;
}

/** Whether a look is at a host's memcached, and not at its ring. */
const isOfNode = (name: string, { words: [component] }: LookRequest): boolean => component !== name;

const addressOf = (host: string, places: Readonly<Record<string, string>>): string =>
  (places[host] ?? "").replace(/:\d+$/, "");

/** The looks at a cache: at memcached on each node, and at the ring of each client. */
export const looksOfCache = (
  name: string,
  { nodes, clients, port, places }: CacheExpected,
): LookRequest[] => {
  const probe = "memcached/probe";
  return [
    ...Object.keys(nodes).map((host) => ({
      host,
      probe,
      words: [nodeComponent(name, host), name, String(port), addressOf(host, places)].filter(Boolean),
    })),
    ...clients.map((host) => ({ host, probe, words: [name, name, String(port)] })),
  ];
};

/** Where a host differs from the state, a line each, beyond its records. */
export function cacheDifferences(
  name: string,
  expected: CacheExpected,
  { request, look: { facts, host } }: Seen<CacheFacts>,
): string[] {
  if (!facts) return [];
  const lines = isOfNode(name, request) ? ofNode(name, facts, expected) : ofRing(name, facts, expected);
  return lines.map((line) => `${host}: ${line}`);
}

function ofRing(name: string, { ring }: CacheFacts, { sha256 }: CacheExpected): string[] {
  if (ring === sha256) return [];
  const again = startAgain(name, "ring");
  return [`has ring ${shortHash(ring)} (expected: ${shortHash(sha256)}); ${again}`];
}

const shortHash = (ring: string | null): string => ring?.slice(0, shownHash) ?? "none";

const startAgain = (component: string, transition: "node" | "ring"): string =>
  `start again: npx pulumi up --replace '**::${component}-${transition}-id'`;

function ofNode(name: string, facts: CacheFacts, { nodes, places }: CacheExpected): string[] {
  const again = startAgain(nodeComponent(name, facts.host), "node");
  const runs = facts.listens.length > 0;
  if (nodes[facts.host] === "out")
    return runs ? [`still runs memcached for ${name} (expected: removed); ${again}`] : [];
  if (!runs) return [`does not run memcached for ${name}; ${again}`];
  const address = addressOf(facts.host, places);
  const foreign = foreignAddresses(facts, address);
  return [
    ...(foreign.length > 0
      ? [`listens on ${foreign.join(" and ")} (allowed: ${address} and 127.0.0.1); ${again}`]
      : []),
    ...(facts.rules === "missing"
      ? [`accepts every host: its rules of nftables are not loaded; ${again}`]
      : []),
    ...(facts.rules === "unwatched"
      ? [`accepts every host after the next flush of nftables: nothing loads its rules again; ${again}`]
      : []),
  ];
}

/** What a host's memcached or ring is now, in one line for the operator. */
export function describeCache(name: string, { request, look: { facts } }: Seen<CacheFacts>): string {
  if (!facts) return "gave no answer";
  if (!isOfNode(name, request)) return `ring ${shortHash(facts.ring)}`;
  if (facts.listens.length === 0) return "memcached does not run";
  return `a node, ${facts.items === null ? "does not answer" : `${String(facts.items)} entries`}`;
}
