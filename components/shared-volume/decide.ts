import {
  type Check,
  decideEach,
  type Decision,
  isOpen,
  type Look,
  type RecordFacts,
  type Wanted,
} from "../../transition/decide.ts";
import { isPublic } from "./addresses.ts";
import type { BrickRole } from "./goal.ts";

/** What a host reports: the output of `scripts/gluster/probe.py`. */
export interface VolumeHostFacts extends RecordFacts {
  /** Whether the host has /dev/fuse, which every mount of a volume needs. */
  readonly fuse: boolean;
}

/** A brick as GlusterFS reports it, `10.0.0.2:/data00/styles`. */
interface Brick {
  readonly role: BrickRole;
  readonly brick: string;
  readonly online: boolean;
}

/** Another server of the trusted pool that is no member of it. */
interface Peer {
  readonly names: readonly string[];
  /** `6`: rejected. */
  readonly state: string;
  /** The state in glusterd's words. */
  readonly said: string;
}

export interface BrickFacts extends VolumeHostFacts {
  readonly glusterd: boolean;
  /** Servers that are not, or not yet, `Peer in Cluster`. */
  readonly peers: readonly Peer[];
  /** The rules that close its ports to other hosts; `unwatched`: nothing loads them again. */
  readonly rules: "loaded" | "unwatched" | "missing";
  /** The volume as this server knows it; null: the server does not know it. */
  readonly volume: {
    readonly started: boolean;
    readonly bricks: readonly Brick[];
    /** Entries that are left to heal; null: a brick did not answer. */
    readonly backlog: number | null;
    readonly splitBrain: readonly string[];
    /** Addresses that use the volume now; of the trusted pool at most the server that answers. */
    readonly clients: readonly string[];
  } | null;
  /** What is at the path of its brick: nothing, an empty folder, its brick, that without its disk, a removed brick, or else. */
  readonly brick: "absent" | "empty" | "ours" | "lost" | "left" | "foreign";
  readonly ownFileSystem: boolean;
}

export interface MountFacts extends VolumeHostFacts {
  readonly mounted: boolean;
  /** Another file system that is mounted at the path. */
  readonly covered: string | null;
  /** Why an account besides root could choose where the volume is mounted; null: none could. */
  readonly foreign: string | null;
  /** Entries of the unmounted folder, which a mount would hide. */
  readonly hidden: number;
  /** Processes that use the folder below the mount. */
  readonly users: readonly string[];
  /** The earlier mount, where the path has changed. */
  readonly old: { readonly path: string; readonly users: readonly string[] } | null;
}

export interface BricksWanted extends Wanted {
  readonly volume: string;
  /** The host that runs the gluster commands. */
  readonly first: string;
  readonly bricks: readonly { readonly role: BrickRole; readonly brick: string }[];
  /** Addresses of all hosts of the volume. */
  readonly allowed: readonly string[];
}

export interface MountWanted extends Wanted {
  readonly volume: string;
  readonly path: string;
}

const fuse: Check<VolumeHostFacts, Wanted> = (facts) =>
  !facts.fuse && "has no /dev/fuse, which a mount needs; load it: modprobe fuse";

/** Whether a host may serve or mount a volume. */
export const decideVolumeHost = (looks: readonly Look<VolumeHostFacts>[], wanted: Wanted): Decision =>
  decideEach(looks, wanted, [fuse]);

const brickChecks: readonly Check<BrickFacts, BricksWanted>[] = [
  (facts) => !facts.glusterd && "does not run glusterd; see: systemctl status glusterd",
  (facts) =>
    !facts.ownFileSystem &&
    "has the path of its brick on the root file system, which a full volume would fill; mount a disk there, or name another path",
  (facts) =>
    facts.brick === "foreign" &&
    "has files at the path of its brick that are not a brick; move them away, or name another path",
  (facts) =>
    facts.brick === "lost" &&
    "has no data at the path of its brick: its disk is not mounted, or is a new one; mount the disk, or name another path in `bricks`",
  (facts) => {
    const [rejected] = facts.peers.filter(({ state }) => state === rejectedState);
    return (
      rejected &&
      `says that ${rejected.names.join(" and ")} is in state ${rejected.said}; see docs/runbook.md, "peer rejected", and run again`
    );
  },
];

const rejectedState = "6";

const addressOf = (brick: string): string => brick.slice(0, brick.indexOf(":"));

/** What another host could reach, and who would be cut off. */
function checkAllowed(looks: readonly Look<BrickFacts>[], { volume, allowed }: BricksWanted): string[] {
  const open = allowed.filter(isPublic);
  const now = looks.flatMap(({ facts }) => facts?.volume ?? []);
  const known = new Set([
    "127.0.0.1",
    ...allowed,
    ...now.flatMap(({ bricks }) => bricks.map(({ brick }) => addressOf(brick))),
  ]);
  const others = new Set(now.flatMap(({ clients }) => clients).filter((client) => !known.has(client)));
  return [
    ...(open.length > 0
      ? [
          `${volume} would be served at ${open.join(", ")}, and GlusterFS is for private networks; give its hosts private addresses`,
        ]
      : []),
    ...(others.size > 0
      ? [
          `${[...others].sort().join(", ")} uses ${volume}, and is no host of it; name that host in \`mounts\`, or unmount the volume there`,
        ]
      : []),
  ];
}

/** Whether the bricks of a volume may be created or changed, from the looks at all servers. */
export function decideBricks(looks: readonly Look<BrickFacts>[], wanted: BricksWanted): Decision {
  const decision = decideEach(looks, wanted, brickChecks);
  if (looks.some(({ facts }) => !facts)) return decision;
  const first = looks.find(({ host }) => host === wanted.first)?.facts;
  const { refusals, notes } = first?.volume
    ? checkExisting(first.volume, wanted)
    : { refusals: checkNew(looks, wanted), notes: [] };
  return {
    ...decision,
    refusals: [...decision.refusals, ...refusals, ...checkAllowed(looks, wanted)],
    notes: [...decision.notes, ...notes],
  };
}

/** A volume that the first server does not know. */
function checkNew(looks: readonly Look<BrickFacts>[], { volume, first }: BricksWanted): string[] {
  const knows = looks.find(({ facts }) => facts?.volume);
  if (knows)
    return [
      `${first} does not know ${volume}, but ${knows.host} does; name ${knows.host} first in servers, and new servers after it`,
    ];
  return looks
    .filter(({ facts }) => facts?.brick === "left" && !isOpen(facts))
    .map(
      ({ host }) =>
        `${host} has a brick of a volume that no server knows; move the brick away to keep its data, or name another path`,
    );
}

/** A volume that exists. */
function checkExisting(
  now: NonNullable<BrickFacts["volume"]>,
  { volume, bricks }: BricksWanted,
): Pick<Decision, "refusals" | "notes"> {
  const name = ({ role, brick }: { role: BrickRole; brick: string }) => `${role} ${brick}`;
  const [present, wanted] = [now.bricks.map(name), bricks.map(name)];
  const removed = now.bricks.filter((brick) => !wanted.includes(name(brick)));
  const added = bricks.filter((brick) => !present.includes(name(brick)));
  if (removed.length === 0 && added.length === 0) return { refusals: [], notes: [] };
  const refusals: string[] = [];
  if (removed.length === now.bricks.length)
    refusals.push(
      `${volume} would lose all its bricks at once (${now.bricks.map(({ brick }) => brick).join(", ")}); keep one of them, and change the others first`,
    );
  const down = now.bricks.filter(({ online }) => !online).map(({ brick }) => brick);
  if (now.started && down.length > 0)
    refusals.push(
      `${down.join(", ")} of ${volume} is offline, so what is left to heal is unknown; start its server, then change bricks`,
    );
  if (now.splitBrain.length > 0)
    refusals.push(
      `${volume} has ${String(now.splitBrain.length)} file(s) in split brain (allowed: 0); decide about each (docs/runbook.md, "split brain"): ${now.splitBrain.slice(0, listedFiles).join(", ")}`,
    );
  return {
    refusals,
    notes: [
      ...removed.map(({ brick }) => `${brick} leaves ${volume}; its data stays on its host`),
      ...added.map(({ brick }) => `${brick} joins ${volume}`),
      ...(now.backlog
        ? [`${volume} has ${String(now.backlog)} entries to heal; its bricks change when 0 are left`]
        : []),
    ],
  };
}

/** How many of a kind a message lists. */
const listedFiles = 20;
const listedProcesses = 5;

const outOfPool = "take the server out of its pool first (changeover:appPools), or stop these processes";

const mountChecks: readonly Check<MountFacts, MountWanted>[] = [
  fuse,
  ({ foreign }, _, { path }) =>
    foreign !== null &&
    `can't mount at ${path} safely: ${foreign}; give every folder above ${path} to root, or name another path`,
  (facts, _, { path }) => facts.covered && `has ${facts.covered} mounted at ${path}; name another path`,
  (facts, _, { path }) =>
    facts.hidden > 0 &&
    `has ${String(facts.hidden)} file(s) in ${path}, which the mount would hide; move them away first`,
  (facts, _, { path }) =>
    facts.users.length > 0 &&
    `has ${path} in use by ${facts.users.slice(0, listedProcesses).join(", ")}; ${outOfPool}`,
  ({ old }) =>
    old &&
    old.users.length > 0 &&
    `has the volume at ${old.path} in use by ${old.users.slice(0, listedProcesses).join(", ")}; ${outOfPool}`,
];

/** Whether a host may mount the volume, mount it at another path, or unmount it. */
export const decideMount = (looks: readonly Look<MountFacts>[], wanted: MountWanted): Decision =>
  decideEach(looks, wanted, mountChecks);

/** The file in which a preflight finds these functions. */
export const decides = import.meta.filename;
export const deciders = { host: decideVolumeHost, bricks: decideBricks, mount: decideMount };
