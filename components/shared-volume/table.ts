import { allowKeeper } from "./goal.ts";
import { type Keepers, type Row, type Table, withPrefix } from "../../transition/table.ts";

/** How long a brick operation waits until nothing is left to heal, before and after it. */
const healSeconds = 4 * 3600;

/** How long a server may take to join the trusted pool. */
const joinSeconds = 60;

/** How long the volume may take to be healthy after its bricks changed. */
const healthySeconds = 600;

/** A host that serves bricks or mounts a volume. */
export const volumeHostTable: Table = [
  {
    phase: "packages",
    script: "gluster/packages",
    on: "each",
    says: "GlusterFS is installed; on a server, glusterd runs now and after each boot",
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

/** The bricks of a volume. They are added, removed and replaced one at a time. */
export const bricksTable: Table = [
  {
    phase: "brick",
    script: "gluster/prepare-brick",
    name: "brick",
    on: "each",
    says: "the brick's folder exists, on a file system of its own",
    words: (keepers, host) => [keepers.volume ?? "", pathOn(keepers, host)],
    deadlineSeconds: 60,
  },
  {
    phase: "allow",
    script: "gluster/allow-hosts",
    name: "allow",
    on: "each",
    says: "only servers and hosts that mount the volume reach the server's ports, now and after each boot",
    words: (keepers) => [keepers.volume ?? "", ...(keepers[allowKeeper] ?? "").split(",")],
    deadlineSeconds: 120,
  },
  {
    phase: "peers",
    script: "gluster/join-peers",
    name: "peers",
    on: "first",
    says: "all servers are in one trusted pool",
    limits: [String(joinSeconds)],
    words: (keepers) => brickWords(keepers).map(addressOf),
    deadlineSeconds: 6 * joinSeconds,
  },
  {
    phase: "volume",
    script: "gluster/configure-volume",
    name: "volume",
    on: "first",
    says: "the volume has exactly these bricks; each changes only while all others are online and nothing is left to heal",
    limits: [String(healSeconds)],
    words: (keepers) => [
      keepers.volume ?? "",
      ...brickWords(keepers),
      ...withPrefix(keepers, "option.").map((word) => `set=${word}`),
    ],
    deadlineSeconds: healSeconds + 2 * 3600,
    pointOfNoReturn: true,
  },
  {
    phase: "health",
    script: "gluster/require-healthy",
    name: "health",
    on: "first",
    says: "every brick is online; nothing is left to heal; no file is in split brain",
    limits: [String(healthySeconds)],
    words: ({ volume = "" }) => [volume],
    deadlineSeconds: healthySeconds + 60,
    reads: true,
  },
];

/** What a host does with the folder that the volume replaces. */
export type Replaces = "copies" | "holds" | "none";

/** A volume on one host that mounts it. */
export function mountTable(replaces: Replaces): Table {
  return [
    {
      phase: "mount",
      script: "gluster/mount-volume",
      name: "mount",
      on: "host",
      says: "the volume is mounted now and after each boot, and shows its own marker; no process uses the folder below it",
      words: ({ volume = "", path = "", owner = "", servers = "" }) => [volume, path, owner, servers],
      deadlineSeconds: 240,
    },
    ...(replaces === "copies" ? [copyRow] : []),
    linkRow(replaces),
    {
      phase: "check",
      script: "gluster/schedule-check",
      name: "check",
      on: "host",
      says: "the mount check reports OK, and a timer runs it",
      words: ({ volume = "", checkSeconds = "" }) => [volume, checkSeconds],
      deadlineSeconds: 120,
    },
  ];
}

/** A host that unmounts the volume. */
export const unmountTable: Table = [
  {
    phase: "link",
    script: "gluster/link-folder",
    name: "link",
    on: "host",
    says: "the kept folder is back in its place",
    words: ({ volume = "", owner = "" }) => [volume, "none", owner, "none", "none", "holds"],
    deadlineSeconds: 300,
  },
  {
    phase: "unmount",
    script: "gluster/unmount-volume",
    name: "unmount",
    on: "host",
    says: "the volume is unmounted; no process used it",
    words: ({ volume = "" }) => [volume],
    deadlineSeconds: 120,
  },
];

const copyRow: Row = {
  phase: "copy",
  script: "gluster/copy-folder",
  name: "copy",
  on: "host",
  says: "the folder is copied to the volume while it is in use, so the last copy is short",
  words: ({ volume = "", path = "", owner = "", replaces = "" }) => [volume, path, owner, replaces],
  deadlineSeconds: 6 * 3600,
};

const linkRow = (replaces: Replaces): Row => ({
  phase: "link",
  script: "gluster/link-folder",
  name: "link",
  on: "host",
  says:
    replaces === "none"
      ? "no folder is a link to the volume; an earlier link is the kept folder again"
      : "the volume has the whole folder (count, size, checksum, owner, mode); the folder is kept and a link takes its place",
  words: (keepers) => [
    ...[keepers.volume ?? "", keepers.path ?? "", keepers.owner ?? ""],
    ...[keepers.replaces ?? "none", keepers.kept ?? "none", replaces === "copies" ? "copies" : "holds"],
  ],
  deadlineSeconds: 3 * 3600,
});
