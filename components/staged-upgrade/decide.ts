import {
  type Check,
  decideEach,
  type Decision,
  isOpen,
  type Look as LookOf,
  onlyOn,
  type RecordFacts,
  type Wanted,
} from "../../transition/decide.ts";

/** A verified backup on the main host. */
export interface Backup {
  /** Its start, in UTC. */
  readonly id: string;
  /** The version of the schema in it. */
  readonly version: string;
  readonly tables: number;
}

/** The facts of one host: the output of `scripts/upgrade/probe.py`. */
export interface UpgradeFacts extends RecordFacts {
  readonly configured: boolean;
  readonly kind: "deb" | "rpm" | null;
  readonly installed: string | null;
  /** Whether exactly the wanted version is installed, or a repository offers it. */
  readonly available: boolean;
  /** Why the repositories can't be read. */
  readonly repository: string | null;
  readonly held: boolean;
  readonly disk_percent: number;
  readonly free_mib: number;
  readonly needs_mib: number | null;
  readonly supervisor: boolean;
  readonly not_running: readonly string[];
  /** On the main host: disk usage of the backup folder after the next backup, in percent. */
  readonly backup_percent_after: number | null;
  /** The age of the newest verified backup, in seconds. */
  readonly backup_age_s: number | null;
  readonly backups: readonly Backup[];
  /** The version that last migrated the main database; `newer`: whether it is newer than the wanted version. */
  readonly reconfigured: string | null;
  readonly newer: boolean | null;
  /** Whether the main database has tables; null: unknown, since it can't be reached. */
  readonly data: boolean | null;
  /** What is wrong with the login for backups. */
  readonly credentials: string | null;
}

export type Look = LookOf<UpgradeFacts>;

export interface UpgradeWanted extends Wanted {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly main: string;
  readonly diskPercent: number;
  /** The backup that the stack file accepts to go back to; empty: none. */
  readonly back: string;
}

const host: readonly Check<UpgradeFacts, UpgradeWanted>[] = [
  ({ configured }, { host: hostName }, { name }) =>
    !configured &&
    `has no settings for ${name}, since its own transition has not ended; start that again: npx pulumi up --replace '**::${name}-${hostName}-host-id'`,
  ({ kind }) => kind === null && "has no package manager for the package; allowed: apt-get, dnf or yum",
  ({ repository }) => repository && `can't read its package repositories: ${repository}; fix that first`,
  ({ available, repository }, _, { package: name, version }) =>
    !available &&
    repository === null &&
    `has no repository that offers ${name} ${version}; allowed: a version that every host can get`,
  ({ held }, _, { package: name }) =>
    held && `holds ${name} at its installed version; release the hold first`,
  ({ disk_percent: now }, _, { diskPercent }) =>
    now > diskPercent &&
    `has ${String(now)} % of its disk in use (allowed: ${String(diskPercent)} %); make room first`,
  ({ free_mib: free, needs_mib: needs }) =>
    needs !== null &&
    free < needs &&
    `has ${String(free)} MiB free (needed for the package: ${String(needs)} MiB); make room first`,
];

const mainHost: readonly Check<UpgradeFacts, UpgradeWanted>[] = [
  ({ backup_percent_after: after }, _, { diskPercent }) =>
    after !== null &&
    after > diskPercent &&
    `would have ${String(after)} % of its disk in use after the backup (allowed: ${String(diskPercent)} %); make room, or set another backup.folder`,
  ({ credentials, installed }) =>
    installed !== null && credentials && `can't make a backup: ${credentials}; fix that first`,
];

/** Whether a host can be prepared; it may have nothing of the software yet. */
export const decideUpgradeHost = (looks: readonly LookOf<RecordFacts>[], wanted: Wanted): Decision =>
  decideEach(looks, wanted);

/** Whether all hosts can get the version, from the looks at all of them. */
export function decideUpgrade(looks: readonly Look[], wanted: UpgradeWanted): Decision {
  const onMain = onlyOn(({ main }: UpgradeWanted) => main, mainHost);
  const decision = decideEach(looks, wanted, [...host, ...onMain]);
  if (looks.some(({ facts }) => !facts)) return decision;
  const main = looks.find((look) => look.host === wanted.main)?.facts;
  const direction = main ? directionOf(main, looks, wanted) : { refusals: [], notes: [] };
  return {
    ...decision,
    refusals: [...decision.refusals, ...clocks(looks, wanted.main), ...direction.refusals],
    notes: [...decision.notes, ...seenNow(looks, wanted), ...direction.notes],
  };
}

/** The main host says when a backup was made. A host that is minutes beside it takes an old one for a new one. */
const maxClockSkewSeconds = 60;

function clocks(looks: readonly Look[], main: string): string[] {
  const { skewMs: mains = 0, skewErrorMs: error = 0 } = looks.find(({ host: name }) => name === main) ?? {};
  return looks.flatMap(({ host: name, skewMs, skewErrorMs = 0 }) => {
    const off = skewMs === undefined ? 0 : skewMs - mains;
    if (Math.abs(off) - error - skewErrorMs <= maxClockSkewSeconds * 1000) return [];
    return [
      `${name} has a clock that is ${(off / 1000).toFixed(0)} s beside the one of ${main} (allowed: ${String(maxClockSkewSeconds)} s); set the clock, and repair time synchronisation`,
    ];
  });
}

type Findings = Pick<Decision, "refusals" | "notes">;

/** Forward, or back past a migration. Going back loses data, so the stack file must accept that. */
function directionOf(main: UpgradeFacts, looks: readonly Look[], wanted: UpgradeWanted): Findings {
  const { version, back } = wanted;
  const others = looks.some(({ host: name, facts }) => name !== wanted.main && facts?.installed);
  // A new machine has no program to query its database with.
  const blank = main.data === false || (main.installed === null && main.reconfigured === null);
  if (blank && others && !isOpen(main))
    return refusing(
      `${wanted.main} shows no tables of the main database, but other hosts run the package; an upgrade would start with an empty database. Restore the data on ${wanted.main}, and install the version that ran there`,
    );
  if (main.reconfigured === null || main.newer !== true) {
    const stale = back && main.reconfigured === version;
    return {
      refusals: [],
      notes: stale
        ? [`acceptDataLoss names backup ${back}, but no restore is needed; remove it from the stack file`]
        : [],
    };
  }
  const fitting = main.backups.filter((backup) => backup.version === version).map(({ id }) => id);
  const [newest] = fitting;
  if (newest === undefined)
    return refusing(
      `${wanted.main} was migrated by ${main.reconfigured} and has no verified backup of ${version}; allowed: ${main.reconfigured} or newer`,
    );
  if (fitting.includes(back))
    return {
      refusals: [],
      notes: [
        `main database goes back to backup ${back}; everything written after that is lost (a copy of the current database is kept)`,
      ],
    };
  const known = `backups of ${version}: ${fitting.join(", ")}${back ? `; the stack file names ${back}` : ""}`;
  const line = `acceptDataLoss: "${newest}: why"`;
  return refusing(
    `${wanted.main} was migrated by ${main.reconfigured}, so ${version} needs a backup of ${version}; everything written after that backup is lost (${known}). To accept the loss, set in changeover:stagedUpgrades.${wanted.name}: ${line}`,
  );
}

const refusing = (why: string): Findings => ({ refusals: [why], notes: [] });

/** Notes for the reviewer; none is a reason to refuse. */
function seenNow(looks: readonly Look[], wanted: UpgradeWanted): string[] {
  const answers = looks.flatMap(({ host: name, facts }) => (facts ? [{ name, facts }] : []));
  const versions = answers.map(({ name, facts }) => `${name} ${facts.installed ?? "none"}`);
  const mixed = new Set(answers.map(({ facts }) => facts.installed)).size > 1;
  const down = answers
    .filter(({ facts }) => facts.installed !== null && facts.not_running.length > 0)
    .map(({ name, facts }) => `${name}: not RUNNING now: ${facts.not_running.join(", ")}`);
  const age = answers.find(({ name }) => name === wanted.main)?.facts.backup_age_s ?? null;
  return [
    `installed now: ${versions.join(", ")}${mixed ? " (mixed)" : ""}`,
    ...answers.map(
      ({ name, facts }) => `${name}: ${String(facts.disk_percent)} % of the disk in use${roomAfter(facts)}`,
    ),
    ...down,
    age === null ? "no verified backup yet" : `last verified backup is ${hours(age)} old`,
  ];
}

const roomAfter = ({ backup_percent_after: after }: UpgradeFacts): string =>
  after === null ? "" : `, ${String(after)} % after the backup`;

/** An age in minutes or hours. */
export const hours = (seconds: number): string =>
  seconds < 7200 ? `${String(Math.round(seconds / 60))} min` : `${String(Math.round(seconds / 3600))} h`;

/** The file in which a preflight finds the deciders. */
export const decides = import.meta.filename;
export const deciders = { host: decideUpgradeHost, upgrade: decideUpgrade };
