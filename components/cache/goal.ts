import { createHash } from "node:crypto";

/** What is wanted of a cache: who has a server, and who uses them. Everything sorted, so that no order in a file matters. */
export interface CacheGoal {
  readonly name: string;
  /** Nodes of the ring, and hosts that shall have no server. */
  readonly nodes: readonly string[];
  readonly leaving: readonly string[];
  readonly clients: readonly string[];
  readonly port: number;
}

/** The goal of one cache of a stack file. */
export function cacheGoal(
  name: string,
  config: {
    readonly nodes: Readonly<Record<string, "in" | "out">>;
    readonly clients: readonly string[];
    readonly port: number;
  },
): CacheGoal {
  const hosts = Object.keys(config.nodes).sort();
  return {
    name,
    nodes: hosts.filter((host) => config.nodes[host] === "in"),
    leaving: hosts.filter((host) => config.nodes[host] === "out"),
    clients: [...config.clients].sort(),
    port: config.port,
  };
}

/** The component that the server on one host is: its records stand under this name. No cache has a hyphen. */
export const nodeComponent = (cache: string, host: string): string => `${cache}-${host}`;

/** One place of a ring, as Dalli is told it. */
export const placeOf = (address: string, port: number): string => `${address}:${String(port)}`;

/** The file that every client has: a place a line, by the names of the hosts in order. */
export const ringText = (places: readonly string[]): string => places.map((place) => `${place}\n`).join("");

/** By which rings are told apart. */
export const ringHash = (places: readonly string[]): string =>
  createHash("sha256").update(ringText(places)).digest("hex");

/** The goal of a cache by its name, from all entries; undefined: there is none of that name. */
export function cacheOf(
  caches: Readonly<Record<string, unknown>>,
  name: string | undefined,
): CacheGoal | undefined {
  const config = caches[name ?? ""] as Parameters<typeof cacheGoal>[1] | undefined;
  return config && cacheGoal(name ?? "", config);
}
