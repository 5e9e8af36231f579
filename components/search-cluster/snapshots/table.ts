import type { Row, Table } from "../../../transition/table.ts";
import type { Snapshots } from "./config.ts";

/** A first snapshot of a large cluster takes longer: the step ends then, the snapshot goes on, and so does the next update. */
const longSeconds = 4 * 3600;

type Args = Pick<Snapshots, "keep" | "maxAgeMinutes" | "before" | "trial">;

const take = (limits: readonly string[], says: string): Row => ({
  phase: "snapshot",
  script: "search/take-snapshot",
  name: "snapshot",
  on: "asker",
  says,
  limits,
  deadlineSeconds: longSeconds,
});

const rehearse = (cluster: string, when: "always" | "version", says: string): Row => ({
  phase: "rehearse",
  script: "search/rehearse-restore",
  name: "rehearse",
  on: "asker",
  says,
  limits: [cluster, when],
  deadlineSeconds: longSeconds,
});

/** The repository is there, and one more snapshot, which was restored and compared. */
export const snapshotTable = (cluster: string, { keep, trial }: Args): Table => [
  {
    phase: "repository",
    script: "search/register-repository",
    name: "repository",
    on: "asker",
    says: "the folder of snapshots is known to the cluster, and each node writes there and sees what the others wrote",
    limits: [cluster],
    deadlineSeconds: 300,
  },
  take(
    [cluster, "now"],
    "a whole snapshot has been taken; a run that was killed goes on with the one that it began",
  ),
  ...(trial
    ? [
        rehearse(
          cluster,
          "always",
          "the snapshot was restored into scratch indexes and compared with what was counted; the time is measured, and nothing of it stays",
        ),
      ]
    : []),
  {
    phase: "clean",
    script: "search/clean-snapshots",
    name: "clean",
    on: "asker",
    says: `at most ${String(keep)} good snapshots of this program are left; those of others stay`,
    limits: [cluster, String(keep)],
    deadlineSeconds: 1800,
  },
];

/** What comes before the first node of a roll stops. The scripts see for themselves what the roll brings. */
export function rowsBeforeRoll(cluster: string, args: Args | undefined): Row[] {
  if (!args || args.before.length === 0) return [];
  const { before, maxAgeMinutes, trial } = args;
  return [
    take(
      [cluster, "before", before.join(","), String(maxAgeMinutes)],
      `for another ${before.join(" or other ")} there is a good snapshot of the last ${String(maxAgeMinutes)} min`,
    ),
    ...(trial && before.includes("version")
      ? [
          rehearse(
            cluster,
            "version",
            "for another version the snapshot was restored into scratch indexes and compared",
          ),
        ]
      : []),
  ];
}
