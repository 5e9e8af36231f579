import type { Example } from "../system.ts";
import { cacheLeaveTable, cacheNodeTable, cacheRingTable } from "./table.ts";

/** The transitions of a cache, as the documents show them. */
export const cacheExamples: Readonly<Record<string, Example>> = {
  "cache-node": { title: "Cache: configure a node (one after the other)", table: cacheNodeTable },
  "cache-ring": { title: "Cache: change the ring (all clients)", table: cacheRingTable },
  "cache-leave": { title: "Cache: remove a node", table: cacheLeaveTable },
};
