import {
  type Check,
  decideEach,
  type Decision,
  type Look as LookOf,
  onlyOn,
  type RecordFacts,
  type Wanted,
} from "../../transition/decide.ts";

/** What one host reports of a cache: the output of `scripts/memcached/probe.py`. */
export interface CacheFacts extends RecordFacts {
  readonly host: string;
  /** Addresses where memcached of this cache listens; empty: it does not run. */
  readonly listens: readonly string[];
  /** Other programs that listen on the port, on an address that the node needs. */
  readonly in_the_way: readonly string[];
  readonly items: number | null;
  /** The rules that close its port to other hosts; `unwatched`: nothing loads them again. Null: no memcached of this cache runs. */
  readonly rules: "loaded" | "unwatched" | "missing" | null;
  /** The hash of the ring file on the host, and of the ring that was last written there. */
  readonly ring: string | null;
  readonly ring_recorded: string | null;
  readonly free_mib: number | null;
}

/** How much of a ring's hash a message shows. */
export const shownHash = 12;

export type Look = LookOf<CacheFacts>;

export interface CacheNodeWanted extends Wanted {
  readonly state: "in" | "out";
  readonly cache: string;
  /** The host that is or was a node. All other hosts of the preflight are clients. */
  readonly node: string;
  readonly address: string;
  readonly port: number;
  readonly memoryMiB: number;
}

export interface CacheRingWanted extends Wanted {
  readonly sha256: string;
}

/** Addresses where memcached listens, and should not. */
export const foreignAddresses = ({ listens }: CacheFacts, address: string): string[] =>
  listens.filter((place) => ![address, "127.0.0.1"].includes(place));

const forNode: readonly Check<CacheFacts, CacheNodeWanted>[] = [
  (facts, _, { port, state }) =>
    state === "in" &&
    facts.in_the_way.length > 0 &&
    `has ${facts.in_the_way.join(" and ")} at port ${String(port)}, which is not the server of this cache; disable it, or name another port`,
  (facts, _, { cache, address, port, state }) => {
    const foreign = foreignAddresses(facts, address);
    return (
      state === "in" &&
      foreign.length > 0 &&
      `listens on ${foreign.join(" and ")} port ${String(port)} (allowed: ${address} and 127.0.0.1); see: systemctl cat changeover-memcached-${cache}`
    );
  },
  (facts, _, { memoryMiB, state }) =>
    state === "in" &&
    facts.listens.length === 0 &&
    facts.free_mib !== null &&
    facts.free_mib < memoryMiB &&
    `has ${String(facts.free_mib)} MiB of memory free (needed: ${String(memoryMiB)} MiB); lower memoryMiB, or free memory`,
];

/** Whether a host may become a node, or stop being one. */
export function decideCacheNode(looks: readonly Look[], wanted: CacheNodeWanted): Decision {
  const checks = onlyOn(({ node }: CacheNodeWanted) => node, forNode);
  return decideEach(looks, wanted, checks);
}

/** Whether the clients may get a ring. Different rings are noted, not refused: the transition makes them equal. */
export function decideCacheRing(looks: readonly Look[], wanted: CacheRingWanted): Decision {
  const decision = decideEach<CacheFacts, CacheRingWanted>(looks, wanted);
  const rings = new Set(looks.flatMap(({ facts }) => (facts ? [facts.ring] : [])));
  const different = looks.flatMap(({ host, facts }) =>
    facts ? [`${host} has ${facts.ring?.slice(0, shownHash) ?? "none"}`] : [],
  );
  const notes = rings.size > 1 ? [`clients have different rings: ${different.join(", ")}`] : [];
  return { ...decision, notes: [...decision.notes, ...notes] };
}

/** The file in which a preflight finds these functions. */
export const decides = import.meta.filename;
export const deciders = { node: decideCacheNode, ring: decideCacheRing };
