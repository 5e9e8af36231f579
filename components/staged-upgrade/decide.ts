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

/** A backup that was verified, on the main host. */
export interface Backup {
  /** When it was begun, in UTC. */
  readonly id: string;
  /** The version that ran on the database then. */
  readonly version: string;
  readonly tables: number;
}

/** What one host says about the software: the output of `scripts/upgrade/probe.py`. */
export interface UpgradeFacts extends RecordFacts {
  readonly configured: boolean;
  readonly kind: "deb" | "rpm" | null;
  readonly installed: string | null;
  /** Whether a repository offers exactly the wanted version, or it is installed. */
  readonly available: boolean;
  /** Why a repository can't be read. */
  readonly repository: string | null;
  readonly held: boolean;
  readonly disk_percent: number;
  readonly free_mib: number;
  readonly needs_mib: number | null;
  readonly supervisor: boolean;
  readonly not_running: readonly string[];
  /** On the main host: use of the backup folder's file system once the backup is there, in percent. */
  readonly backup_percent_after: number | null;
  /** Of the newest verified backup, in seconds. */
  readonly backup_age_s: number | null;
  readonly backups: readonly Backup[];
  /** The version that has migrated the main database last, and whether it is newer than the wanted one. */
  readonly reconfigured: string | null;
  readonly newer: boolean | null;
  /** Whether the main database has tables; null: it can't be asked now. */
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
  /** The backup that may be gone back to; empty: none. */
  readonly back: string;
}

const host: readonly Check<UpgradeFacts, UpgradeWanted>[] = [
  ({ configured }, _, { name }) =>
    !configured && `was not told what ${name} is; start its way in again: its own transition has not ended`,
  ({ kind }) =>
    kind === null && "has neither apt-get nor dnf; its package can't be installed by this program",
  ({ repository }) => repository && `can't read its repository (${repository}); mend it first`,
  ({ available, repository }, _, { package: name, version }) =>
    !available &&
    repository === null &&
    `is offered no ${name} ${version} by any repository; allowed: a version that they all have`,
  ({ held }, _, { package: name }) => held && `holds ${name} at its version; release the hold first`,
  ({ disk_percent: now }, _, { diskPercent }) =>
    now > diskPercent &&
    `has ${String(now)} % of its disk in use (allowed: ${String(diskPercent)} %); make room first`,
  ({ free_mib: free, needs_mib: needs }) =>
    needs !== null &&
    free < needs &&
    `has ${String(free)} MiB free, the package takes ${String(needs)} MiB; make room first`,
];

const mainHost: readonly Check<UpgradeFacts, UpgradeWanted>[] = [
  ({ backup_percent_after: after }, _, { diskPercent }) =>
    after !== null &&
    after > diskPercent &&
    `would have ${String(after)} % of its disk in use after the backup (allowed: ${String(diskPercent)} %); make room, or name another backup.folder`,
  ({ credentials, installed }) =>
    installed !== null && credentials && `can't make a backup: ${credentials}; mend it first`,
];

/** A host that is told what it is; it may have nothing of the software yet. */
export const decideUpgradeHost = (looks: readonly LookOf<RecordFacts>[], wanted: Wanted): Decision =>
  decideEach(looks, wanted);

/** Whether one version may come to all hosts, from their looks at once (rows 000-028, 000-047, 000-092, 000-094). */
export function decideUpgrade(looks: readonly Look[], wanted: UpgradeWanted): Decision {
  const onMain = onlyOn(({ main }: UpgradeWanted) => main, mainHost);
  const decision = decideEach(looks, wanted, [...host, ...onMain]);
  if (looks.some(({ facts }) => !facts)) return decision;
  const main = looks.find((look) => look.host === wanted.main)?.facts;
  const way = main ? wayOf(main, looks, wanted) : { refusals: [], notes: [] };
  return {
    ...decision,
    refusals: [...decision.refusals, ...way.refusals],
    notes: [...decision.notes, ...seenNow(looks, wanted), ...way.notes],
  };
}

type Way = Pick<Decision, "refusals" | "notes">;

/** Forward, or back past a migration: that loses what was written since, which somebody has to want. */
function wayOf(main: UpgradeFacts, looks: readonly Look[], wanted: UpgradeWanted): Way {
  const { version, back } = wanted;
  const others = looks.some(({ host: name, facts }) => name !== wanted.main && facts?.installed);
  // A machine that was made anew has no program to ask its database with.
  const blank = main.data === false || (main.installed === null && main.reconfigured === null);
  if (blank && others && !isOpen(main))
    return refusing(
      `the main database on ${wanted.main} has no tables that it could be asked for, while other hosts run the package; put its data back and install the version there that ran, or it is begun anew`,
    );
  if (main.reconfigured === null || main.newer !== true) {
    const stale = back && main.reconfigured === version;
    return {
      refusals: [],
      notes: stale
        ? [`acceptDataLoss names ${back}, and nothing is to be put back; take it out of the file`]
        : [],
    };
  }
  const fitting = main.backups.filter((one) => one.version === version).map(({ id }) => id);
  const [newest] = fitting;
  if (newest === undefined)
    return refusing(
      `${wanted.main} was migrated by ${main.reconfigured}, and has no verified backup of ${version}; allowed: ${main.reconfigured} or newer`,
    );
  if (fitting.includes(back))
    return {
      refusals: [],
      notes: [
        `the database goes back to backup ${back}; what was written after it is lost, a copy of it is kept`,
      ],
    };
  const line = `acceptDataLoss: "${newest}: why"`;
  return refusing(
    `${wanted.main} was migrated by ${main.reconfigured}; ${version} needs the backup from before, and what was written after it is lost (backups of ${version}: ${fitting.join(", ")}${back ? `; the file names ${back}` : ""}). Who wants that writes under changeover:stagedUpgrades.${wanted.name}: ${line}`,
  );
}

const refusing = (why: string): Way => ({ refusals: [why], notes: [] });

/** What a reviewer wants to know and nobody refuses for. */
function seenNow(looks: readonly Look[], wanted: UpgradeWanted): string[] {
  const all = looks.flatMap(({ host: name, facts }) => (facts ? [{ name, facts }] : []));
  const versions = all.map(({ name, facts }) => `${name} ${facts.installed ?? "none"}`);
  const mixed = new Set(all.map(({ facts }) => facts.installed)).size > 1;
  const down = all
    .filter(({ facts }) => facts.installed !== null && facts.not_running.length > 0)
    .map(({ name, facts }) => `${name}: not RUNNING now: ${facts.not_running.join(", ")}`);
  const age = all.find(({ name }) => name === wanted.main)?.facts.backup_age_s ?? null;
  return [
    `installed now: ${versions.join(", ")}${mixed ? " (mixed)" : ""}`,
    ...all.map(
      ({ name, facts }) => `${name}: ${String(facts.disk_percent)} % of the disk in use${roomAfter(facts)}`,
    ),
    ...down,
    age === null ? "no verified backup yet" : `the last verified backup is ${hours(age)} old`,
  ];
}

const roomAfter = ({ backup_percent_after: after }: UpgradeFacts): string =>
  after === null ? "" : `, ${String(after)} % after the backup`;

/** How old something is, for a reader. */
export const hours = (seconds: number): string =>
  seconds < 7200 ? `${String(Math.round(seconds / 60))} min` : `${String(Math.round(seconds / 3600))} h`;

/** Where a preflight finds what decides. */
export const decides = import.meta.filename;
export const deciders = { host: decideUpgradeHost, upgrade: decideUpgrade };
