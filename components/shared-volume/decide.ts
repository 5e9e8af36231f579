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

/** What a host says of itself: the output of `scripts/gluster/probe.py`. */
export interface VolumeHostFacts extends RecordFacts {
  /** Whether it can mount anything of the kind. */
  readonly fuse: boolean;
}

/** A brick as GlusterFS has it, `10.0.0.2:/data00/styles`. */
interface Brick {
  readonly role: BrickRole;
  readonly brick: string;
  readonly online: boolean;
}

export interface BrickFacts extends VolumeHostFacts {
  readonly glusterd: boolean;
  /** The volume as this server knows it; null: it knows none of that name. */
  readonly volume: {
    readonly started: boolean;
    readonly bricks: readonly Brick[];
    /** Entries that are still to be healed; null: a brick could not be asked. */
    readonly backlog: number | null;
    readonly splitBrain: readonly string[];
  } | null;
  /** What is at the place of its brick: nothing, an empty folder, its brick, one that went, or anything else. */
  readonly brick: "absent" | "empty" | "ours" | "left" | "foreign";
  readonly ownFileSystem: boolean;
}

export interface MountFacts extends VolumeHostFacts {
  readonly mounted: boolean;
  /** What else is mounted there. */
  readonly covered: string | null;
  /** Entries of the bare folder, which a mount would hide. */
  readonly hidden: number;
  /** Processes that use what the mount would cover. */
  readonly users: readonly string[];
  /** Where it is mounted until now, when that is elsewhere. */
  readonly old: { readonly path: string; readonly users: readonly string[] } | null;
}

export interface BricksWanted extends Wanted {
  readonly volume: string;
  /** The host that tells the others. */
  readonly first: string;
  readonly bricks: readonly { readonly role: BrickRole; readonly brick: string }[];
}

export interface MountWanted extends Wanted {
  readonly volume: string;
  readonly path: string;
}

const fuse: Check<VolumeHostFacts, Wanted> = (facts) =>
  !facts.fuse && "has no /dev/fuse, without which nothing is mounted; load the module fuse";

/** A host that is to serve or to mount a volume. */
export const decideVolumeHost = (looks: readonly Look<VolumeHostFacts>[], wanted: Wanted): Decision =>
  decideEach(looks, wanted, [fuse]);

const brickChecks: readonly Check<BrickFacts, BricksWanted>[] = [
  (facts) => !facts.glusterd && "runs no glusterd; see systemctl status glusterd",
  (facts) =>
    !facts.ownFileSystem &&
    "would have its brick on the root's file system, which a full volume would fill; mount a disk there, or name another brick",
  (facts) =>
    facts.brick === "foreign" &&
    "has files at the place of its brick that were no brick; move them away, or name another brick",
];

/** Whether the bricks of a volume may be made or changed, from all servers' looks at once. */
export function decideBricks(looks: readonly Look<BrickFacts>[], wanted: BricksWanted): Decision {
  const decision = decideEach(looks, wanted, brickChecks);
  if (looks.some(({ facts }) => !facts)) return decision;
  const first = looks.find(({ host }) => host === wanted.first)?.facts;
  const { refusals, notes } = first?.volume
    ? ofVolume(first.volume, wanted)
    : { refusals: ofNoVolume(looks, wanted), notes: [] };
  return {
    ...decision,
    refusals: [...decision.refusals, ...refusals],
    notes: [...decision.notes, ...notes],
  };
}

function ofNoVolume(looks: readonly Look<BrickFacts>[], { volume, first }: BricksWanted): string[] {
  const knows = looks.find(({ facts }) => facts?.volume);
  if (knows)
    return [
      `${first} does not know ${volume}, but ${knows.host} does; name ${knows.host} first in servers, a new server comes after it`,
    ];
  return looks
    .filter(({ facts }) => facts?.brick === "left" && !isOpen(facts))
    .map(
      ({ host }) =>
        `${host} has a brick of a volume that no server knows any more; its data would be out of sight: move it away, or name another brick`,
    );
}

function ofVolume(
  now: NonNullable<BrickFacts["volume"]>,
  { volume, bricks }: BricksWanted,
): Pick<Decision, "refusals" | "notes"> {
  const name = ({ role, brick }: { role: BrickRole; brick: string }) => `${role} ${brick}`;
  const [is, shall] = [now.bricks.map(name), bricks.map(name)];
  const gone = now.bricks.filter((brick) => !shall.includes(name(brick)));
  const come = bricks.filter((brick) => !is.includes(name(brick)));
  if (gone.length === 0 && come.length === 0) return { refusals: [], notes: [] };
  const refusals: string[] = [];
  if (gone.length === now.bricks.length)
    refusals.push(
      `${volume} would keep none of its bricks (${now.bricks.map(({ brick }) => brick).join(", ")}), which looks like another volume; change them in turn`,
    );
  const down = now.bricks.filter(({ online }) => !online).map(({ brick }) => brick);
  if (now.started && down.length > 0)
    refusals.push(
      `${down.join(", ")} of ${volume} is offline, so nobody can see that nothing is left to heal; start its server, and change bricks then`,
    );
  if (now.splitBrain.length > 0)
    refusals.push(
      `${volume} has ${String(now.splitBrain.length)} file(s) in split brain, a person must decide (docs/runbook.md, "split brain"): ${now.splitBrain.slice(0, 20).join(", ")}`,
    );
  return {
    refusals,
    notes: [
      ...gone.map(({ brick }) => `${brick} leaves ${volume}; what is in it stays there`),
      ...come.map(({ brick }) => `${brick} comes to ${volume}`),
      ...(now.backlog ? [`${volume} has ${String(now.backlog)} entries to heal, which is waited for`] : []),
    ],
  };
}

const outOfPool = "take the server out of its pool first (changeover:appPools), or stop what uses it";

const mountChecks: readonly Check<MountFacts, MountWanted>[] = [
  fuse,
  (facts, _, { path }) => facts.covered && `has ${facts.covered} mounted at ${path}; name another path`,
  (facts, _, { path }) =>
    facts.hidden > 0 &&
    `has ${String(facts.hidden)} file(s) in ${path}, which the mount would hide; move them away first`,
  (facts, _, { path }) =>
    facts.users.length > 0 && `has ${path} in use by ${facts.users.slice(0, 5).join(", ")}; ${outOfPool}`,
  ({ old }) =>
    old &&
    old.users.length > 0 &&
    `has the volume at ${old.path} in use by ${old.users.slice(0, 5).join(", ")}; ${outOfPool}`,
];

/** Whether a host may mount the volume, elsewhere than before, or no more. */
export const decideMount = (looks: readonly Look<MountFacts>[], wanted: MountWanted): Decision =>
  decideEach(looks, wanted, mountChecks);

/** Where a preflight finds what decides. */
export const decides = import.meta.filename;
export const deciders = { host: decideVolumeHost, bricks: decideBricks, mount: decideMount };
