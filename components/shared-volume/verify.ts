import type { LookRequest, Seen } from "../system.ts";
import type { BrickFacts, MountFacts } from "./decide.ts";
import type { GoalBrick } from "./goal.ts";

/** What the state says of a volume. */
export interface VolumeExpected {
  readonly bricks: readonly GoalBrick[];
  /** By host: where the volume is mounted; `none`: the host has unmounted it. */
  readonly mounts: Readonly<Record<string, string>>;
}

type Facts = Partial<BrickFacts & MountFacts>;

const probe = "gluster/probe";

/** The looks at a volume: at each brick, and at each mount. */
export const looksOfVolume = (name: string, { bricks, mounts }: VolumeExpected): LookRequest[] => [
  ...bricks.map(({ host, path }) => ({ host, probe, words: [`${name}-volume`, name, `brick=${path}`] })),
  ...Object.entries(mounts).map(([host, path]) => ({
    host,
    probe,
    words: [`${name}-${host}-mount`, name, `mount=${path}`],
  })),
];

/** Whether a look is at a host's brick, and not at its mount. */
const isOfBrick = ({ request }: Seen): boolean => request.words.some((word) => word.startsWith("brick="));

const factsOf = ({ look }: Seen): Facts => (look as { readonly facts?: Facts }).facts ?? {};

const startAgain = (transition: string): string =>
  `start again: npx pulumi up --replace '**::${transition}-id'`;

/** Where the hosts differ from the state, a line each, beyond their records. */
export function volumeDifferences(name: string, expected: VolumeExpected, seen: readonly Seen[]): string[] {
  const witness = seen.filter(isOfBrick).find((look) => factsOf(look).volume);
  return [
    ...seen.flatMap((look) => {
      if (!look.look.facts) return [];
      const lines = isOfBrick(look) ? ofServer(name, factsOf(look)) : ofMount(name, expected, look);
      return lines.map((line) => `${look.look.host}: ${line}`);
    }),
    ...(witness ? ofVolume(name, expected, factsOf(witness)) : []),
  ];
}

function ofServer(name: string, { glusterd, volume, rules, peers = [], brick }: Facts): string[] {
  if (!glusterd) return ["glusterd does not run; start it: systemctl start glusterd"];
  const again = startAgain(`${name}-volume-bricks`);
  return [
    ...(volume ? [] : [`glusterd does not know ${name}; ${again}`]),
    ...(volume && brick !== "ours" && brick !== "lost"
      ? [`has no brick of ${name} at its path (found there: ${String(brick)}); ${again}`]
      : []),
    ...(brick === "lost"
      ? [`its brick of ${name} has no data: its disk is not mounted, or is a new one`]
      : []),
    ...peers.map(
      ({ names, said }) =>
        `says that ${names.join(" and ")} is in state ${said}; see docs/runbook.md, "peer rejected"`,
    ),
    ...(rules === "missing"
      ? [`lets every host reach GlusterFS: its rules of nftables are not loaded; ${again}`]
      : []),
    ...(rules === "unwatched"
      ? [
          `lets every host reach GlusterFS after the next flush of nftables: nothing loads its rules again; ${again}`,
        ]
      : []),
  ];
}

/** All servers report the same of the volume, so one of them is asked. */
function ofVolume(name: string, { bricks }: VolumeExpected, { volume }: Facts): string[] {
  if (!volume) return [];
  const paths = new Set(bricks.map(({ path }) => path));
  const asExpected =
    volume.bricks.length === bricks.length &&
    volume.bricks.every(({ brick }) => paths.has(brick.slice(brick.indexOf(":") + 1)));
  const present = volume.bricks.map(({ brick }) => brick).join(", ");
  const wanted = bricks.map(({ host, path }) => `${host}:${path}`).join(", ");
  return [
    ...(volume.started ? [] : [`${name} is stopped; start it: gluster volume start ${name}`]),
    ...(asExpected
      ? []
      : [`${name} has the bricks ${present} (expected: ${wanted}); ${startAgain(`${name}-volume-bricks`)}`]),
    ...volume.bricks
      .filter(({ online }) => !online)
      .map(({ brick }) => `${brick} of ${name} is offline; start its server`),
    ...(volume.splitBrain.length > 0
      ? [
          `${name} has ${String(volume.splitBrain.length)} file(s) in split brain (allowed: 0); see docs/runbook.md, "split brain"`,
        ]
      : []),
  ];
}

function ofMount(name: string, { mounts }: VolumeExpected, seen: Seen): string[] {
  const { mounted, old } = factsOf(seen);
  const { host } = seen.request;
  const path = mounts[host] ?? "none";
  const again = startAgain(`${name}-${host}-mount-client`);
  if (path !== "none") return mounted ? [] : [`does not mount ${name} at ${path}; ${again}`];
  return mounted || old
    ? [`still mounts ${name} at ${old?.path ?? "a folder"} (expected: unmounted); ${again}`]
    : [];
}

/** What a host's brick or mount is now, in one line for the operator. */
export function describeVolume(seen: Seen): string {
  const { glusterd, volume, mounted } = factsOf(seen);
  if (!isOfBrick(seen)) return mounted ? "mounted" : "not mounted";
  if (!glusterd) return "glusterd does not run";
  if (!volume) return "glusterd does not know the volume";
  const online = volume.bricks.filter((brick) => brick.online).length;
  const heal =
    volume.backlog === null ? "entries to heal unknown" : `${String(volume.backlog)} entries to heal`;
  return `${volume.started ? "started" : "stopped"}, ${String(online)} of ${String(volume.bricks.length)} bricks online, ${heal}, ${String(volume.splitBrain.length)} in split brain`;
}
