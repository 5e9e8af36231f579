import type { Example } from "../system.ts";
import { cacheLeaveTable, cacheNodeTable, cacheRingTable } from "./table.ts";

/** The transitions of a cache, as the documents show them. */
export const cacheExamples: Readonly<Record<string, Example>> = {
  "cache-node": { title: "Cache: a node (one after the other)", table: cacheNodeTable },
  "cache-ring": { title: "Cache: the ring (all clients)", table: cacheRingTable },
  "cache-leave": { title: "Cache: a host that is no node any more", table: cacheLeaveTable },
};
