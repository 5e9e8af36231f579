import {
  type Check,
  decideEach,
  type Decision,
  isOpen,
  type Look,
  type RecordFacts,
  type Wanted,
} from "../../transition/decide.ts";
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

export interface BrickFacts extends VolumeHostFacts {
  readonly glusterd: boolean;
  /** The volume as this server knows it; null: the server does not know it. */
  readonly volume: {
    readonly started: boolean;
    readonly bricks: readonly Brick[];
    /** Entries that are left to heal; null: a brick did not answer. */
    readonly backlog: number | null;
    readonly splitBrain: readonly string[];
  } | null;
  /** What is at the path of its brick: nothing, an empty folder, its brick, a removed brick, or anything else. */
  readonly brick: "absent" | "empty" | "ours" | "left" | "foreign";
  readonly ownFileSystem: boolean;
}

export interface MountFacts extends VolumeHostFacts {
  readonly mounted: boolean;
  /** Another file system that is mounted at the path. */
  readonly covered: string | null;
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
];

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
    refusals: [...decision.refusals, ...refusals],
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
