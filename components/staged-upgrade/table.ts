import type { UpgradeGoal } from "./goal.ts";
import { type Row, type Table, withPrefix } from "../../transition/table.ts";

/** Its receipt names the backup that the stop relies on. */
const tryRestore = "upgrade/try-restore";

/** Its receipt says which version is green, and since when. */
export const recordGreen = "upgrade/record-green";

/** Limits of the rows, in seconds unless the name says otherwise. A changed limit runs no row. */
export interface UpgradeLimits {
  readonly stop: number;
  readonly package: number;
  readonly reconfigure: number;
  readonly healthy: number;
  readonly backup: number;
  readonly backupMinutes: number;
  readonly silenceMinutes: number;
  /** The backup that the stack file accepts to go back to; empty: none. Without it a needed restore is refused. */
  readonly back: string;
}

/** Prepares one host: the software from the project, the upgrade's settings, the checks of disk and services. */
export const upgradeHostTable = (name: string, software?: string): Table => [
  ...(software === undefined ? [] : [softwareRow(name, software)]),
  {
    phase: "configure",
    name: "configure",
    script: "upgrade/configure-host",
    on: "each",
    says: "host has the upgrade's settings; timers check its disk and services",
    limits: [name],
    words: (keepers) => withPrefix(keepers, "conf."),
    deadlineSeconds: 120,
  },
];

const softwareRow = (name: string, script: string): Row => ({
  phase: "software",
  name: "software",
  script,
  on: "each",
  limits: [name],
  stdin: "shared",
  software: true,
  says: "host has a repository with the package, and the settings that the package needs",
  words: (keepers) => [keepers["conf.role"] ?? ""],
  deadlineSeconds: 900,
});

type Versioned = Pick<Row, "limits" | "words">;

/**
 * One version on all hosts. Each phase is a barrier: a host that fails in one phase keeps every host from the next. Going back
 * runs the same table; only then a backup is restored.
 */
export function stagedUpgradeTable(goal: UpgradeGoal, limits: UpgradeLimits): Table {
  const { name, others } = goal;
  const version: Versioned = { limits: [name], words: (keepers) => [keepers.version ?? ""] };
  return [
    ...backupRows(name, version, limits),
    ...stopRows(name, others, limits),
    ...packageRows(goal, version, limits),
    ...reconfigureRows(goal, version, limits),
    ...proofRows(goal, version, limits),
  ];
}

/** While all services still run. */
const backupRows = (name: string, version: Versioned, limits: UpgradeLimits): Row[] => [
  {
    ...version,
    phase: "fetch",
    name: "fetch",
    script: "upgrade/fetch-package",
    on: "each",
    says: "exactly this version is downloaded; nothing is installed",
    deadlineSeconds: limits.package,
  },
  {
    phase: "silence",
    name: "silence",
    script: "upgrade/silence-alerts",
    on: "each",
    says: "alerts are silent and users are told; the silence ends by itself after silence.minutes",
    limits: [name, "on", String(limits.silenceMinutes)],
    deadlineSeconds: 120,
  },
  {
    phase: "backup",
    name: "backup",
    script: "upgrade/backup-database",
    on: "main",
    limits: [name, String(limits.backupMinutes), limits.back || "none"],
    says: "main database has a complete backup: dump and gzip ended with 0, the end marker is there, gzip reads it",
    deadlineSeconds: limits.backup,
  },
  {
    phase: "trial",
    name: "trial",
    script: tryRestore,
    on: "main",
    limits: [name],
    says: "backup is restored into a scratch server; its tables and row counts match",
    deadlineSeconds: limits.backup,
  },
];

const packageRows = ({ name, others }: UpgradeGoal, version: Versioned, limits: UpgradeLimits): Row[] => [
  {
    ...version,
    phase: "package",
    name: "package",
    script: "upgrade/install-package",
    on: "each",
    says: "exactly this version is installed; nothing is reconfigured yet",
    deadlineSeconds: limits.package,
  },
  {
    ...version,
    phase: "restore",
    name: "restore",
    script: "upgrade/restore-database",
    on: "main",
    says: "if a newer version migrated the main database, the backup from before replaces it",
    limits: [...(version.limits ?? []), limits.back || "none"],
    deadlineSeconds: limits.backup,
    pointOfNoReturn: true,
    // Without an accepted backup a restore that is needed is refused.
    dormant: limits.back === "",
  },
  ...(others.length > 0 ? [stillStoppedRow(name)] : []),
];

/** @param watch for how many seconds no service may restart; left out: the script's own number. */
const healthRow = (
  name: string,
  limits: UpgradeLimits,
  ...watch: readonly string[]
): Omit<Row, "phase" | "on" | "says"> => ({
  script: "upgrade/require-healthy",
  limits: [name, String(limits.healthy), ...watch],
  reads: true,
  deadlineSeconds: limits.healthy + 60,
});

const stillStoppedRow = (name: string): Row => ({
  phase: "restore",
  name: "rest",
  script: "upgrade/require-stopped",
  on: "others",
  limits: [name],
  says: "services are still stopped, so nothing writes while the main database is migrated",
  deadlineSeconds: 60,
});

/** The main database alone, then the other hosts in groups. */
const reconfigureRows = ({ name, groups }: UpgradeGoal, version: Versioned, limits: UpgradeLimits): Row[] => [
  {
    ...version,
    phase: "reconfigure-main",
    name: "reconfigure-main",
    script: "upgrade/reconfigure-host",
    on: "main",
    says: "main database is migrated; going back needs the backup",
    deadlineSeconds: limits.reconfigure,
    pointOfNoReturn: true,
  },
  {
    // All hosts wait for this row, so it watches briefly; the last health phase watches longer.
    ...healthRow(name, limits, "3"),
    phase: "health-main",
    name: "health-main",
    on: "main",
    says: "main database answers; the supervisor and all services run without a restart loop",
    usersServed: true,
  },
  ...groups.map((_, index): Row => ({
    ...version,
    phase: `reconfigure-${String(index + 1)}`,
    name: "reconfigure",
    script: "upgrade/reconfigure-host",
    on: `group-${String(index + 1)}`,
    says: "host is reconfigured to the installed version; its services are started",
    usersServed: true,
    deadlineSeconds: limits.reconfigure,
  })),
];

/** What must hold before the version counts as green. */
const proofRows = ({ name, smoke }: UpgradeGoal, version: Versioned, limits: UpgradeLimits): Row[] => [
  {
    ...healthRow(name, limits),
    phase: "health",
    name: "health",
    on: "each",
    says: "supervisor and all services run without a restart loop; disk usage is at most diskPercent",
  },
  ...smoke.map((test): Row => ({
    phase: "smoke",
    name: `smoke-${test.name}`,
    script: "upgrade/run-smoke-test",
    on: `smoke-${test.name}`,
    says: `smoke test ${test.name} passes and is cleaned up`,
    limits: [name, String(test.seconds), test.command, test.cleanUp],
    words: () => [test.name],
    beside: true,
    deadlineSeconds: 2 * test.seconds + 60,
  })),
  {
    phase: "unsilence",
    name: "unsilence",
    script: "upgrade/silence-alerts",
    on: "each",
    limits: [name, "off"],
    says: "alerts are on again",
    deadlineSeconds: 120,
  },
  {
    ...version,
    phase: "green",
    name: "green",
    script: recordGreen,
    on: "main",
    says: "the time since which this version passes all checks is recorded",
    deadlineSeconds: 30,
  },
];

/** The other hosts first: the main database stops once nothing writes to it. */
function stopRows(name: string, others: readonly string[], limits: UpgradeLimits): Row[] {
  const stop: Omit<Row, "phase" | "on" | "name"> = {
    script: "upgrade/stop-services",
    says: "all services are stopped; the backup is at most backup.maxAgeMinutes old",
    usersNotice: "the site is stopped",
    limits: [name, String(limits.backupMinutes)],
    takes: tryRestore,
    deadlineSeconds: limits.stop,
  };
  return [
    ...(others.length > 0 ? [{ ...stop, phase: "stop", name: "stop", on: "others" }] : []),
    { ...stop, phase: "stop-main", name: "stop-main", on: "main" },
  ];
}
