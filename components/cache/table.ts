import type { Keepers, Row, Table } from "../../transition/table.ts";

const cache = ({ cache: name = "" }: Keepers): string => name;
const place = ({ place: own = "" }: Keepers): string => own;
const placesIn = ({ ring = "" }: Keepers): string[] => ring.split(",").filter(Boolean);
/** Nodes of the ring that something dials. */
const alive = (keepers: Keepers): string[] =>
  placesIn(keepers).filter((node) => !(keepers.lost ?? "").split(",").includes(node));
const without = ({ lost }: Keepers): string[] => (lost ? [`--without=${lost}`] : []);
const units = ({ reloads = "-" }: Keepers): string => reloads;

/** What configure saw: a server that runs with other settings. */
const mustRestart = (bad: readonly string[]): boolean => bad.includes("configure");

const copy = (phase: string, says: string, to: (keepers: Keepers) => readonly string[]): Row => ({
  phase,
  script: "memcached/copy",
  on: "copier",
  says,
  words: (keepers) => [cache(keepers), keepers.copySeconds ?? "0", ...to(keepers)],
  deadlineSeconds: 3700,
  mayBeSkipped: true,
});

const settle = (phase: string): Row => ({
  phase,
  script: "memcached/settle",
  on: "copier",
  says: "programs have read the ring; what they changed before is changed in the copies, the old ones are gone",
  words: (keepers) => [cache(keepers), keepers.copySeconds ?? "0", keepers.settleSeconds ?? "0"],
  deadlineSeconds: 3700,
  mayBeSkipped: true,
});

/** Clients do without the node, and lose nothing by it. */
const asideRows: Table = [
  {
    phase: "others",
    script: "memcached/others",
    on: "clients",
    says: "if it must be restarted: every other node answers each client",
    words: (keepers) => [cache(keepers), place(keepers)],
    deadlineSeconds: 60,
    reads: true,
    mayBeSkipped: true,
  },
  copy("away", "if it must be restarted: what the node holds is copied to the others", (keepers) => [
    "without",
    place(keepers),
  ]),
  {
    phase: "aside",
    script: "memcached/aside",
    on: "clients",
    says: "if it must be restarted: each client has the ring without the node",
    words: (keepers) => [cache(keepers), place(keepers), units(keepers)],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
  settle("quiet"),
];

/** Whatever became of the restart: nothing stays aside. */
const backRows: Table = [
  copy("home", "what belongs to a node that was set aside is copied to it", (keepers) => [
    "back",
    place(keepers),
  ]),
  {
    phase: "back",
    script: "memcached/back",
    on: "clients",
    says: "each client has the ring again that it had",
    words: (keepers) => [cache(keepers), place(keepers), units(keepers)],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
  settle("settle"),
];

/** One node has its server, with the settings of the goal. It is restarted only where it must be, out of the ring. */
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
    script: "memcached/configure",
    on: "node",
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
  ...asideRows.map((row): Row => ({ ...row, when: mustRestart })),
  {
    phase: "restart",
    script: "memcached/restart",
    on: "node",
    says: "if it must be restarted: the node runs with its settings",
    words: (keepers) => [cache(keepers), keepers.copySeconds === "0" ? "empty" : "keep"],
    deadlineSeconds: 300,
    when: mustRestart,
  },
  ...backRows,
];

/** A host that is no node any more. */
export const cacheLeaveTable: Table = [
  {
    phase: "unused",
    script: "memcached/unused",
    on: "clients",
    says: "no client has the node in its ring",
    words: (keepers) => [cache(keepers), place(keepers)],
    deadlineSeconds: 60,
    reads: true,
  },
  {
    phase: "leave",
    script: "memcached/leave",
    on: "node",
    says: "the host has no server of the cache",
    words: (keepers) => [cache(keepers)],
    deadlineSeconds: 120,
  },
];

/** Every client has the same ring. Between the first and the last of them two rings are in use, for one phase. */
export const cacheRingTable: Table = [
  {
    phase: "reach",
    script: "memcached/reach",
    on: "each",
    says: "each client reaches every node of the ring: version, a value set and got",
    words: (keepers) => [cache(keepers), ...alive(keepers)],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
  copy("copy", "entries that the ring gives to another node are copied there", (keepers) => [
    "to",
    ...placesIn(keepers),
  ]),
  {
    phase: "ring",
    script: "memcached/ring",
    on: "each",
    says: "each client has the ring",
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
  settle("settle"),
  {
    phase: "mark",
    script: "memcached/mark",
    on: "each",
    says: "each client has set the hash of its ring on every node",
    words: (keepers) => [cache(keepers), ...without(keepers)],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
  {
    phase: "check",
    script: "memcached/compare",
    on: "each",
    says: "each client gets what the others set, and all hashes are equal",
    words: (keepers) => [cache(keepers), ...(keepers.present ?? "").split(","), ...without(keepers)],
    deadlineSeconds: 60,
    mayBeSkipped: true,
  },
];
