import { createHash } from "node:crypto";

/** The goal of a cache: its nodes and its clients. All lists are sorted, so the order in the file does not matter. */
export interface CacheGoal {
  readonly name: string;
  /** Nodes of the ring. */
  readonly nodes: readonly string[];
  /** Hosts that are `out`: memcached is removed from them. */
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

/** The component of one node: its records on the host have this name. The name of a cache has no hyphen. */
export const nodeComponent = (cache: string, host: string): string => `${cache}-${host}`;

/** One place of a ring, `host:port` as Dalli reads it. */
export const placeOf = (address: string, port: number): string => `${address}:${String(port)}`;

/** The ring file of every client: one place a line, in the order of the hosts' names. */
export const ringText = (places: readonly string[]): string => places.map((place) => `${place}\n`).join("");

/** The hash that identifies a ring. */
export const ringHash = (places: readonly string[]): string =>
  createHash("sha256").update(ringText(places)).digest("hex");

/** The goal of a cache by its name, from all entries; undefined: no cache has that name. */
export function cacheOf(
  caches: Readonly<Record<string, unknown>>,
  name: string | undefined,
): CacheGoal | undefined {
  const config = caches[name ?? ""] as Parameters<typeof cacheGoal>[1] | undefined;
  return config && cacheGoal(name ?? "", config);
}
