import {
  type Check,
  decideEach,
  type Decision,
  type Look as LookOf,
  onlyOn,
  type RecordFacts,
  type Wanted,
} from "../../transition/decide.ts";

/** What one machine says about its part of a cache: the output of `scripts/memcached/probe.py`. */
export interface CacheFacts extends RecordFacts {
  readonly host: string;
  /** Addresses where the cache's own server listens; none: it does not run. */
  readonly listens: readonly string[];
  /** What else has the port, on an address that the server takes. */
  readonly in_the_way: readonly string[];
  readonly items: number | null;
  /** The hash of the ring that is here, and of the one that was put here. */
  readonly ring: string | null;
  readonly ring_recorded: string | null;
  readonly free_mib: number | null;
}

export type Look = LookOf<CacheFacts>;

export interface CacheNodeWanted extends Wanted {
  readonly state: "in" | "out";
  readonly cache: string;
  /** The host that is or was a node; the others that are looked at are clients. */
  readonly node: string;
  readonly address: string;
  readonly port: number;
  readonly memoryMiB: number;
}

export interface CacheRingWanted extends Wanted {
  readonly sha256: string;
}

/** Addresses of a server that nobody else is to be served at. */
export const foreignAddresses = ({ listens }: CacheFacts, address: string): string[] =>
  listens.filter((place) => ![address, "127.0.0.1"].includes(place));

const forNode: readonly Check<CacheFacts, CacheNodeWanted>[] = [
  (facts, _, { port, state }) =>
    state === "in" &&
    facts.in_the_way.length > 0 &&
    `has ${facts.in_the_way.join(" and ")} at port ${String(port)}, which is no server of this program; stop it for good, or name another port`,
  (facts, _, { cache, address, port, state }) => {
    const others = foreignAddresses(facts, address);
    return (
      state === "in" &&
      others.length > 0 &&
      `listens on ${others.join(" and ")} port ${String(port)}, for others than the clients of ${cache} (allowed: ${address} and 127.0.0.1); see: systemctl cat changeover-memcached-${cache}`
    );
  },
  (facts, _, { memoryMiB, state }) =>
    state === "in" &&
    facts.listens.length === 0 &&
    facts.free_mib !== null &&
    facts.free_mib < memoryMiB &&
    `has ${String(facts.free_mib)} MiB of memory free (needed: ${String(memoryMiB)} MiB); name less, or make room`,
];

/** Whether a machine may become or stop being a node. */
export function decideCacheNode(looks: readonly Look[], wanted: CacheNodeWanted): Decision {
  const checks = onlyOn(({ node }: CacheNodeWanted) => node, forNode);
  return decideEach(looks, wanted, checks);
}

/** Whether the clients may get a ring. Those that differ now are no reason against it: it makes them equal. */
export function decideCacheRing(looks: readonly Look[], wanted: CacheRingWanted): Decision {
  const decision = decideEach<CacheFacts, CacheRingWanted>(looks, wanted);
  const rings = new Set(looks.flatMap(({ facts }) => (facts ? [facts.ring] : [])));
  const different = looks.flatMap(({ host, facts }) =>
    facts ? [`${host} has ${facts.ring?.slice(0, 12) ?? "none"}`] : [],
  );
  const notes = rings.size > 1 ? [`rings differ now: ${different.join(", ")}`] : [];
  return { ...decision, notes: [...decision.notes, ...notes] };
}

/** Where a preflight finds what decides. */
export const decides = import.meta.filename;
export const deciders = { node: decideCacheNode, ring: decideCacheRing };
