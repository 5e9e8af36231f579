import type { Sample } from "../system.ts";

const node = {
  host: "es1",
  formed: "abc",
  running: "0123456789ab",
  next: "0123456789ab",
  bounced: null,
  active: true,
  node: { version: "2.19.5", uuid: "abc", manager: "es1" },
  health: { status: "green", nodes: 1, relocating: 0, unassigned: 0, delayed: 0 },
  voters: ["es1"],
  voters_alive: ["es1"],
  snapshots: [],
  without_replica: [],
  blocked: [],
  allocation: "all",
  leases: {},
  shards: 3,
  rules: "loaded",
  in_the_way: [],
  memory_mib: 4096,
};

/** One node, which is its own manager. */
export const searchSample: Sample = {
  hosts: ["es1"],
  entry: {
    engine: "opensearch",
    version: "2.19.5",
    versions: { "2.19.5": { archive: "releases/opensearch-2.19.5.tar.gz", sha256: "0".repeat(64) } },
    nodes: { es1: { roles: ["data", "manager"] } },
    singleManager: "a sample",
  },
  facts: {
    "search/probe": { right: node, wrong: { ...node, active: false, node: null, health: null } },
  },
};
