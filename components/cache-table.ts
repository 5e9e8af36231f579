import type { Keepers, Row, Table } from "./table.ts";

const cache = ({ cache: name = "" }: Keepers): string => name;
const placesIn = ({ ring = "" }: Keepers): string[] => ring.split(",").filter(Boolean);

/** One node has its server, with the settings of the goal. A restart waits until the cache can do without it. */
export const cacheNodeTable: Table = [
  {
    phase: "packages",
    script: "memcached/packages",
    on: "each",
    says: "memcached is installed",
    deadlineSeconds: 900,
  },
  {
    phase: "configure",
    script: "memcached/configure",
    on: "each",
    says: "the node has its settings and lets its clients in, and nobody else; a server that runs is not touched",
    words: (keepers) => [
      cache(keepers),
      ...["address", "port", "memory_mib", "connections", "clients"].map(
        (key) => `${key}=${keepers[key] ?? ""}`,
      ),
    ],
    deadlineSeconds: 120,
    verdict: true,
  },
  {
    phase: "others",
    script: "memcached/others",
    on: "clients",
    says: "if it must be restarted: every other node answers each client",
    words: (keepers) => [cache(keepers), keepers.place ?? ""],
    deadlineSeconds: 60,
    reads: true,
    when: (bad) => bad.includes("configure"),
  },
  {
    phase: "restart",
    script: "memcached/restart",
    on: "each",
    says: "if it must be restarted: the node runs with its settings, and has what it held",
    words: (keepers) => [cache(keepers)],
    deadlineSeconds: 300,
    when: (bad) => bad.includes("configure"),
  },
];

/** A host that is no node any more. */
export const cacheLeaveTable: Table = [
  {
    phase: "unused",
    script: "memcached/unused",
    on: "clients",
    says: "no client has the node in its ring",
    words: (keepers) => [cache(keepers), keepers.place ?? ""],
    deadlineSeconds: 60,
    reads: true,
  },
  {
    phase: "leave",
    script: "memcached/leave",
    on: "each",
    says: "the host has no server of the cache",
    words: (keepers) => [cache(keepers)],
    deadlineSeconds: 120,
  },
];

const moved = (phase: string, when: "before" | "after", says: string): Row => ({
  phase,
  script: "memcached/move",
  on: "copier",
  says,
  words: (keepers) => [
    cache(keepers),
    ...[when, keepers.copySeconds ?? "0", ...(when === "after" ? [keepers.settleSeconds ?? "0"] : [])],
    ...placesIn(keepers),
  ],
  deadlineSeconds: 3700,
});

/** Every client has the same ring. Between the first and the last of them two rings are in use, for one phase. */
export const cacheRingTable: Table = [
  {
    phase: "reach",
    script: "memcached/reach",
    on: "each",
    says: "each client reaches every node of the ring: version, a value set and got",
    words: (keepers) => [cache(keepers), ...placesIn(keepers)],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
  moved("copy", "before", "entries that the ring gives to another node are copied there"),
  {
    phase: "ring",
    script: "memcached/ring",
    on: "each",
    says: "each client has the ring",
    words: (keepers) => [
      cache(keepers),
      keepers.sha256 ?? "",
      keepers.clients ?? "",
      keepers.reloads ?? "-",
      ...placesIn(keepers),
    ],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
  moved(
    "settle",
    "after",
    "programs have read the ring; what they changed before is changed in the copies, the old ones are gone",
  ),
  {
    phase: "mark",
    script: "memcached/mark",
    on: "each",
    says: "each client has set the hash of its ring on every node",
    words: (keepers) => [cache(keepers)],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
  {
    phase: "check",
    script: "memcached/compare",
    on: "each",
    says: "each client gets what the others set, and all hashes are equal",
    words: (keepers) => [cache(keepers), ...(keepers.present ?? "").split(",")],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
];
