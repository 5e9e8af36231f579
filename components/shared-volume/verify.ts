import type { LookRequest, Seen } from "../system.ts";
import type { BrickFacts, MountFacts } from "./decide.ts";
import type { GoalBrick } from "./goal.ts";

/** What the state says of a volume. */
export interface VolumeExpected {
  readonly bricks: readonly GoalBrick[];
  /** By host: where it is mounted; `none`: nowhere any more. */
  readonly mounts: Readonly<Record<string, string>>;
}

type Facts = Partial<BrickFacts & MountFacts>;

const probe = "gluster/probe";

/** What to look at on which host: its brick, and its mount. */
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

/** Where the hosts differ from the state, a line each, beyond their records. */
export function volumeDifferences(name: string, expected: VolumeExpected, seen: readonly Seen[]): string[] {
  const first = seen.filter(isOfBrick).find((one) => factsOf(one).volume);
  return [
    ...seen.flatMap((one) => {
      if (!one.look.facts) return [];
      const lines = isOfBrick(one) ? ofServer(factsOf(one)) : ofMount(name, expected, one);
      return lines.map((line) => `${one.look.host}: ${line}`);
    }),
    ...(first ? ofVolume(name, expected, factsOf(first)) : []),
  ];
}

const ofServer = ({ glusterd, volume }: Facts): string[] => [
  ...(glusterd ? [] : ["glusterd does not run; start it: systemctl start glusterd"]),
  ...(glusterd && !volume ? ["its glusterd does not know the volume"] : []),
];

/** What all servers say alike is asked of one. */
function ofVolume(name: string, { bricks }: VolumeExpected, { volume }: Facts): string[] {
  if (!volume) return [];
  const paths = new Set(bricks.map(({ path }) => path));
  return [
    ...(volume.started ? [] : [`${name} is stopped; start it: gluster volume start ${name}`]),
    ...(volume.bricks.length === bricks.length &&
    volume.bricks.every(({ brick }) => paths.has(brick.slice(brick.indexOf(":") + 1)))
      ? []
      : [
          `${name} has the bricks ${volume.bricks.map(({ brick }) => brick).join(", ")}, the state has ${String(bricks.length)}`,
        ]),
    ...volume.bricks
      .filter(({ online }) => !online)
      .map(({ brick }) => `${brick} of ${name} is offline; start its server`),
    ...(volume.splitBrain.length > 0
      ? [
          `${name} has ${String(volume.splitBrain.length)} file(s) in split brain; see docs/runbook.md, "split brain"`,
        ]
      : []),
  ];
}

function ofMount(name: string, { mounts }: VolumeExpected, one: Seen): string[] {
  const { mounted, old } = factsOf(one);
  const path = mounts[one.request.host] ?? "none";
  const again = `start it again: npx pulumi up --replace '**::${name}-${one.request.host}-mount-client-id'`;
  if (path === "none")
    return mounted || old
      ? [`mounts ${name} at ${old?.path ?? "a folder"}, and is to have it nowhere; ${again}`]
      : [];
  return mounted ? [] : [`does not mount ${name} at ${path}; ${again}`];
}

/** What a host's part of a volume is now, in one line for the operator. */
export function describeVolume(seen: Seen): string {
  const { glusterd, volume, mounted } = factsOf(seen);
  if (!isOfBrick(seen)) return mounted ? "mounted" : "not mounted";
  if (!glusterd) return "glusterd does not run";
  if (!volume) return "glusterd does not know the volume";
  const online = volume.bricks.filter((brick) => brick.online).length;
  const heal =
    volume.backlog === null ? "heal backlog not known" : `${String(volume.backlog)} entries to heal`;
  return `${volume.started ? "started" : "stopped"}, ${String(online)} of ${String(volume.bricks.length)} bricks online, ${heal}, ${String(volume.splitBrain.length)} in split brain`;
}
