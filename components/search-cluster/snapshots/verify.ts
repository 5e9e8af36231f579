import type { SearchCluster } from "../config.ts";

/** What the state says of a cluster's snapshots. */
export interface SnapshotsExpected {
  readonly location: string;
  readonly maxAgeMinutes: number;
}

/** The newest good snapshot of this program, as a node sees it. */
export interface Newest {
  readonly name: string | null;
  /** Seconds; null: its clock was ahead. */
  readonly age: number | null;
  /** Why the repository says nothing; null: it answers. */
  readonly why: string | null;
  /** Seconds that a rebuild of all takes, by the last rehearsal, on the host that had it. */
  readonly rebuild?: number | null;
}

const dayMinutes = 24 * 60;

export const expectedSnapshots = ({
  snapshots,
}: SearchCluster): { readonly snapshots?: SnapshotsExpected } =>
  snapshots ? { snapshots: { location: snapshots.location, maxAgeMinutes: snapshots.maxAgeMinutes } } : {};

/** An age as people say it. */
export function aged(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${String(minutes)} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${String(hours)} h` : `${String(Math.round(hours / 24))} days`;
}

const lasting = (seconds: number): string =>
  seconds < 120 ? `about ${String(Math.max(1, Math.round(seconds)))} s` : `about ${aged(seconds)}`;

/** How old the newest snapshot is, for a person; nothing where none is expected. */
export function newestWords(newest: Newest | null | undefined, expected?: SnapshotsExpected): string[] {
  if (!newest || !expected) return [];
  if (newest.why !== null) return [`snapshots can't be seen: ${newest.why}`];
  if (newest.name === null) return ["no good snapshot"];
  const limit = `(limit: ${aged(expected.maxAgeMinutes * 60)})`;
  const { rebuild = null } = newest;
  return [
    newest.age === null
      ? `newest snapshot ${newest.name}, from the future`
      : `newest snapshot ${aged(newest.age)} old ${limit}`,
    ...(rebuild === null ? [] : [`a rebuild takes ${lasting(rebuild)} (rehearsed)`]),
  ];
}

/**
 * What is wrong with the snapshots of a cluster. `maxAgeMinutes` is what a roll asks for, and it takes one itself: older than
 * that is no difference. Older than a day is one, unless the limit is longer: who has snapshots believes that they are taken, and
 * a backup that has stopped is found when it is needed.
 */
export function snapshotDifferences(
  name: string,
  newest: Newest | null | undefined,
  expected: SnapshotsExpected | undefined,
): string[] {
  if (!newest || !expected) return [];
  const cure = `take one: npx pulumi config set --path changeover:searchClusters.${name}.snapshots.now "<date>", then npx pulumi up`;
  const most = Math.max(expected.maxAgeMinutes, dayMinutes) * 60;
  if (newest.why !== null)
    return [
      `${name}: its snapshots can't be seen: ${newest.why}; see docs/runbook.md, "the data of a search cluster is lost"`,
    ];
  if (newest.name === null) return [`${name}: has no good snapshot (expected: one); ${cure}`];
  return newest.age !== null && newest.age > most
    ? [`${name}: its newest good snapshot is ${aged(newest.age)} old (limit: ${aged(most)}); ${cure}`]
    : [];
}
