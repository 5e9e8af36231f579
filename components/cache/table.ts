import type { Keepers, Row, Table } from "../../transition/table.ts";
import { maxCopySeconds } from "./config.ts";

const cache = ({ cache: name = "" }: Keepers): string => name;
const place = ({ place: own = "" }: Keepers): string => own;
const placesIn = ({ ring = "" }: Keepers): string[] => ring.split(",").filter(Boolean);
/** Nodes of the ring that are not lost. */
const alive = (keepers: Keepers): string[] =>
  placesIn(keepers).filter((node) => !(keepers.lost ?? "").split(",").includes(node));
const without = ({ lost }: Keepers): string[] => (lost ? [`--without=${lost}`] : []);
const units = ({ reloads = "-" }: Keepers): string => reloads;

/** Whether `configure` found a running server with other settings. */
const mustRestart = (bad: readonly string[]): boolean => bad.includes("configure");

/** The script ends its copying by itself; the step allows it this much more. */
const copyDeadlineSeconds = maxCopySeconds + 100;

const copy = (
  phase: string,
  name: string,
  says: string,
  to: (keepers: Keepers) => readonly string[],
): Row => ({
  phase,
  script: "memcached/copy-entries",
  name,
  on: "copier",
  says,
  words: (keepers) => [cache(keepers), keepers.copySeconds ?? "0", ...to(keepers)],
  deadlineSeconds: copyDeadlineSeconds,
  mayBeSkipped: true,
});

const drain = (phase: string, name: string): Row => ({
  phase,
  script: "memcached/drain-old-node",
  name,
  on: "copier",
  says: "programs have read the new ring; late changes at old nodes are copied, and the old copies are removed",
  words: (keepers) => [cache(keepers), keepers.copySeconds ?? "0", keepers.settleSeconds ?? "0"],
  deadlineSeconds: copyDeadlineSeconds,
  mayBeSkipped: true,
});

/** The node leaves the ring of every client before its restart, and its entries move to the other nodes. */
const leaveRows: Table = [
  {
    phase: "others",
    script: "memcached/require-other-nodes",
    name: "others",
    on: "clients",
    says: "if a restart is needed: every client reaches all other nodes",
    words: (keepers) => [cache(keepers), place(keepers)],
    deadlineSeconds: 60,
    reads: true,
    mayBeSkipped: true,
  },
  copy(
    "away",
    "away-copy",
    "if a restart is needed: the node's entries are copied to the other nodes",
    (keepers) => ["without", place(keepers)],
  ),
  {
    phase: "aside",
    script: "memcached/remove-from-ring",
    name: "aside",
    on: "clients",
    says: "if a restart is needed: the ring of every client is without the node",
    words: (keepers) => [cache(keepers), place(keepers), units(keepers)],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
  drain("quiet", "quiet-settle"),
];

/** The node returns to the ring of every client, also after a restart that failed. */
const returnRows: Table = [
  copy("home", "home-copy", "entries of a node that left the ring are copied back to the node", (keepers) => [
    "back",
    place(keepers),
  ]),
  {
    phase: "back",
    script: "memcached/return-to-ring",
    name: "back",
    on: "clients",
    says: "every client has its earlier ring again",
    words: (keepers) => [cache(keepers), place(keepers), units(keepers)],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
  drain("settle", "settle"),
];

/** One node runs with the settings of the goal. It restarts only if they differ, and only outside the ring. */
export const cacheNodeTable: Table = [
  {
    phase: "packages",
    script: "memcached/packages",
    on: "node",
    says: "memcached is installed",
    deadlineSeconds: 900,
  },
  {
    phase: "configure",
    script: "memcached/configure-node",
    name: "configure",
    on: "node",
    says: "the node has its settings and accepts only its clients; a running server is not restarted",
    words: (keepers) => [
      cache(keepers),
      ...["address", "port", "memory_mib", "connections", "clients"].map(
        (key) => `${key}=${keepers[key] ?? ""}`,
      ),
    ],
    deadlineSeconds: 120,
    verdict: true,
  },
  ...leaveRows.map((row): Row => ({ ...row, when: mustRestart })),
  {
    phase: "restart",
    script: "memcached/restart-node",
    name: "restart",
    on: "node",
    says: "if a restart is needed: the node runs with its settings",
    words: (keepers) => [cache(keepers), keepers.copySeconds === "0" ? "empty" : "keep"],
    deadlineSeconds: 300,
    when: mustRestart,
  },
  ...returnRows,
];

/** A host that is `out`: memcached is removed. */
export const cacheLeaveTable: Table = [
  {
    phase: "unused",
    script: "memcached/require-unused",
    name: "unused",
    on: "clients",
    says: "the ring of every client is without the node",
    words: (keepers) => [cache(keepers), place(keepers)],
    deadlineSeconds: 60,
    reads: true,
  },
  {
    phase: "leave",
    script: "memcached/remove-node",
    name: "leave",
    on: "node",
    says: "the host runs no memcached of the cache",
    words: (keepers) => [cache(keepers)],
    deadlineSeconds: 120,
  },
];

/** Every client gets the same ring. While it is written, for one phase, clients use the old ring or the new one. */
export const cacheRingTable: Table = [
  {
    phase: "reach",
    script: "memcached/require-reachable",
    name: "reach",
    on: "each",
    says: "every client reaches every node of the new ring: version, a value set and read",
    words: (keepers) => [cache(keepers), ...alive(keepers)],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
  copy("copy", "copy", "entries that have another node in the new ring are copied there", (keepers) => [
    "to",
    ...placesIn(keepers),
  ]),
  {
    phase: "ring",
    script: "memcached/write-ring",
    name: "ring",
    on: "each",
    says: "every client has the new ring",
    words: (keepers) => [
      cache(keepers),
      keepers.sha256 ?? "",
      keepers.clients ?? "",
      units(keepers),
      ...placesIn(keepers),
    ],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
  drain("settle", "settle"),
  {
    phase: "mark",
    script: "memcached/publish-ring-hash",
    name: "mark",
    on: "each",
    says: "every client has set the hash of its ring on every node",
    words: (keepers) => [cache(keepers), ...without(keepers)],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
  {
    phase: "check",
    script: "memcached/require-same-ring",
    name: "check-compare",
    on: "each",
    says: "every client reads the hashes of all clients, and they are equal",
    words: (keepers) => [cache(keepers), ...(keepers.present ?? "").split(","), ...without(keepers)],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
];
