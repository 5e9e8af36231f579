import { type Keepers, type Row, type Table, withPrefix } from "../../transition/table.ts";

/** How long a brick operation waits until nothing is left to heal, before and after. */
const healSeconds = 4 * 3600;

/** A host that serves bricks or mounts a volume. */
export const volumeHostTable: Table = [
  {
    phase: "packages",
    script: "gluster/packages",
    on: "each",
    says: "GlusterFS is installed; on a server glusterd runs, now and at each start",
    words: ({ role = "" }) => [role],
    deadlineSeconds: 900,
  },
];

/** `data=10.0.0.2:/data00/styles` for each brick, data first. */
const brickWords = (keepers: Keepers): string[] =>
  (["data", "arbiter"] as const).flatMap((role) =>
    withPrefix(keepers, `${role}.`).map((word) => `${role}=${word.slice(word.indexOf("=") + 1)}`),
  );

const addressOf = (word: string): string => word.slice(word.indexOf("=") + 1, word.indexOf(":"));

const pathOn = (keepers: Keepers, host: string): string => {
  const brick = keepers[`data.${host}`] ?? keepers[`arbiter.${host}`] ?? "";
  return brick.slice(brick.indexOf(":") + 1);
};

/** Which bricks a volume has: they come, go and are replaced one at a time (rows 001-056 to 001-059). */
export const bricksTable: Table = [
  {
    phase: "brick",
    script: "gluster/brick",
    on: "each",
    says: "the folder of the brick is there, on a file system of its own",
    words: (keepers, host) => [keepers.volume ?? "", pathOn(keepers, host)],
    deadlineSeconds: 60,
  },
  {
    phase: "peers",
    script: "gluster/peers",
    on: "first",
    says: "the servers are in one trusted pool",
    limits: ["60"],
    words: (keepers) => brickWords(keepers).map(addressOf),
    deadlineSeconds: 300,
  },
  {
    phase: "volume",
    script: "gluster/volume",
    on: "first",
    says: "the volume has exactly these bricks, each changed only when all others were online and nothing was left to heal",
    limits: [String(healSeconds)],
    words: (keepers) => [
      keepers.volume ?? "",
      ...brickWords(keepers),
      ...withPrefix(keepers, "option.").map((word) => `set=${word}`),
    ],
    deadlineSeconds: 6 * 3600,
    pointOfNoReturn: true,
  },
  {
    phase: "health",
    script: "gluster/health",
    on: "first",
    says: "every brick is online, nothing is left to heal, nothing is in split brain",
    limits: ["600"],
    words: ({ volume = "" }) => [volume],
    deadlineSeconds: 660,
    reads: true,
  },
];

/** What a host does with a folder that the volume takes the place of. */
export type Replaces = "copies" | "holds" | "none";

/** A volume on one host that mounts it (rows 001-062 to 001-078). */
export function mountTable(replaces: Replaces): Table {
  return [
    {
      phase: "mount",
      script: "gluster/mount",
      on: "host",
      says: "the volume is mounted, now and at each start, and its mark is seen; no process used what it covers",
      words: ({ volume = "", path = "", owner = "", servers = "" }) => [volume, path, owner, servers],
      deadlineSeconds: 240,
    },
    ...(replaces === "copies" ? [copyRow] : []),
    linkRow(replaces),
    {
      phase: "check",
      script: "gluster/check",
      on: "host",
      says: "the check of the mount says OK, and is asked by a timer from now on",
      words: ({ volume = "", checkSeconds = "" }) => [volume, checkSeconds],
      deadlineSeconds: 120,
    },
  ];
}

/** A host that mounts the volume no more. */
export const unmountTable: Table = [
  {
    phase: "link",
    script: "gluster/link",
    on: "host",
    says: "the folder that was kept is back",
    words: ({ volume = "", owner = "" }) => [volume, "none", owner, "none", "none", "holds"],
    deadlineSeconds: 300,
  },
  {
    phase: "unmount",
    script: "gluster/unmount",
    on: "host",
    says: "the volume is mounted no more; no process used it",
    words: ({ volume = "" }) => [volume],
    deadlineSeconds: 120,
  },
];

const copyRow: Row = {
  phase: "copy",
  script: "gluster/copy",
  on: "host",
  says: "the folder is copied while it is still in use, so that the last copy is short",
  words: ({ volume = "", path = "", owner = "", replaces = "" }) => [volume, path, owner, replaces],
  deadlineSeconds: 6 * 3600,
};

const linkRow = (replaces: Replaces): Row => ({
  phase: "link",
  script: "gluster/link",
  on: "host",
  says:
    replaces === "none"
      ? "no folder is a link to the volume; one that was is back as it was kept"
      : "the volume has all of the folder (count, size, checksum, owner, mode); a link stands in its place, the folder is kept",
  words: (keepers) => [
    ...[keepers.volume ?? "", keepers.path ?? "", keepers.owner ?? ""],
    ...[keepers.replaces ?? "none", keepers.kept ?? "none", replaces === "copies" ? "copies" : "holds"],
  ],
  deadlineSeconds: 3 * 3600,
});
