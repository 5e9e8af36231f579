import type { LookRequest, Seen } from "../system.ts";
import { type CacheFacts, foreignAddresses } from "./decide.ts";
import { nodeComponent } from "./goal.ts";

/** What the state says of a cache. */
export interface CacheExpected {
  readonly port: number;
  readonly nodes: Readonly<Record<string, "in" | "out">>;
  readonly clients: readonly string[];
  /** A place a host that is a node. */
  readonly places: Readonly<Record<string, string>>;
  readonly sha256: string;
}

/** Whether a look is at the server of a host, and not at its ring. */
const isOfNode = (name: string, { words: [component] }: LookRequest): boolean => component !== name;

/** What to look at on which host: its server, and its ring. */
export const looksOfCache = (
  name: string,
  { nodes, clients, port, places }: CacheExpected,
): LookRequest[] => {
  const probe = "memcached/probe";
  return [
    ...Object.keys(nodes).map((host) => {
      const address = (places[host] ?? "").replace(/:\d+$/, "");
      return { host, probe, words: [nodeComponent(name, host), name, String(port), address].filter(Boolean) };
    }),
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
  return [`has ring ${ring?.slice(0, 12) ?? "none"}, the state says ${sha256.slice(0, 12)}; ${again}`];
}

const startAgain = (component: string, transition: "node" | "ring"): string =>
  `start it again: npx pulumi up --replace '**::${component}-${transition}-id'`;

function ofNode(name: string, facts: CacheFacts, { nodes, places }: CacheExpected): string[] {
  const again = startAgain(nodeComponent(name, facts.host), "node");
  const runs = facts.listens.length > 0;
  if (nodes[facts.host] === "out")
    return runs ? [`runs a server of ${name}, and is to have none; ${again}`] : [];
  if (!runs) return [`runs no server of ${name}; ${again}`];
  const others = foreignAddresses(facts, (places[facts.host] ?? "").replace(/:\d+$/, ""));
  return others.length > 0 ? [`listens on ${others.join(" and ")} for others; ${again}`] : [];
}

/** What a host's part of a cache is now, in one line for the operator. */
export function describeCache(name: string, { request, look: { facts } }: Seen<CacheFacts>): string {
  if (!facts) return "gave no answer";
  if (!isOfNode(name, request)) return `ring ${facts.ring?.slice(0, 12) ?? "none"}`;
  if (facts.listens.length === 0) return "no server";
  return `a node, ${facts.items === null ? "says nothing" : `${String(facts.items)} entries`}`;
}
