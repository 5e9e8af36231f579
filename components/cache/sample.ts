import type { Sample } from "../system.ts";

const node = { host: "prodapp01", listens: ["192.0.2.1"], items: 3, rules: "loaded", ring: null };

/** One node, and one client of it. */
export const cacheSample: Sample = {
  hosts: ["prodapp01", "websvr"],
  entry: { nodes: { prodapp01: "in" }, clients: ["websvr"] },
  facts: {
    "memcached/probe": { right: node, wrong: { ...node, listens: [], ring: "0".repeat(64) } },
  },
};
