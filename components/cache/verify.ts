import { type CacheFacts, foreignAddresses, type Look } from "./decide.ts";
import { nodeComponent } from "./goal.ts";
import { isOpen } from "../../transition/decide.ts";

/** What the state says of a cache. */
export interface CacheExpected {
  readonly port: number;
  readonly nodes: Readonly<Record<string, "in" | "out">>;
  readonly clients: readonly string[];
  /** A place a host that is a node. */
  readonly places: Readonly<Record<string, string>>;
  readonly sha256: string;
  /** By component: the id that was carried out. */
  readonly ids: Readonly<Record<string, string>>;
}

/** Which records to look at on which host: of its server, and of its ring. */
export function looksWanted(
  name: string,
  { nodes, clients, port, places }: CacheExpected,
): { readonly host: string; readonly component: string; readonly words: readonly string[] }[] {
  return [
    ...Object.keys(nodes).map((host) => ({
      host,
      component: nodeComponent(name, host),
      words: [name, String(port), (places[host] ?? "").replace(/:\d+$/, "")].filter(Boolean),
    })),
    ...clients.map((host) => ({ host, component: name, words: [name, String(port)] })),
  ];
}

/** Where a host differs from the state, a line each. */
export function cacheDifferences(
  name: string,
  expected: CacheExpected,
  { component, look, stack }: { component: string; look: Look; stack: string },
): string[] {
  const { facts, host, failure } = look;
  if (!facts) return [`${host}: ${failure ?? "gave no answer"}`];
  const transition = component === name ? "ring" : "node";
  const again = `start it again: npx pulumi up --replace '**::${component}-${transition}-id'`;
  return [
    ...ofRecords(facts, stack, transition, expected.ids[component], again),
    ...(component === name ? ofRing(facts, expected, again) : ofNode(name, facts, expected, again)),
  ].map((line) => `${host}: ${line}`);
}

function ofRecords(
  facts: CacheFacts,
  stack: string,
  transition: string,
  id: string | undefined,
  again: string,
): string[] {
  const done = facts.done[transition];
  return [
    ...(done === id
      ? []
      : [`${transition} ${id ?? "none"} is done in the state, here it is ${done ?? "none"}; ${again}`]),
    ...(facts.stack === stack
      ? []
      : [`is operated by stack ${facts.stack ?? "none"}, not by this one (${stack})`]),
    ...(isOpen(facts) && facts.claim
      ? [`${facts.claim.transition} ${facts.claim.id} was begun and not ended`]
      : []),
  ];
}

function ofRing({ ring }: CacheFacts, { sha256 }: CacheExpected, again: string): string[] {
  if (ring === sha256) return [];
  return [`has ring ${ring?.slice(0, 12) ?? "none"}, the state says ${sha256.slice(0, 12)}; ${again}`];
}

function ofNode(name: string, facts: CacheFacts, { nodes, places }: CacheExpected, again: string): string[] {
  const runs = facts.listens.length > 0;
  if (nodes[facts.host] === "out")
    return runs ? [`runs a server of ${name}, and is to have none; ${again}`] : [];
  if (!runs) return [`runs no server of ${name}; ${again}`];
  const others = foreignAddresses(facts, (places[facts.host] ?? "").replace(/:\d+$/, ""));
  return others.length > 0 ? [`listens on ${others.join(" and ")} for others; ${again}`] : [];
}

/** What a host's part of a cache is now, in one line for the operator. */
export function cacheInWords(name: string, component: string, { host, facts, failure }: Look): string {
  if (!facts) return `${host}: ${failure ?? "gave no answer"}`;
  if (component === name) return `${host}: ring ${facts.ring?.slice(0, 12) ?? "none"}`;
  if (facts.listens.length === 0) return `${host}: no server`;
  return `${host}: a node, ${facts.items === null ? "says nothing" : `${String(facts.items)} entries`}`;
}
