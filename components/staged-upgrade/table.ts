import type { UpgradeGoal } from "./goal.ts";
import { type Row, type Table, withPrefix } from "../../transition/table.ts";

/** What the rows are told besides their goal: limits, in seconds unless the name says otherwise. */
export interface UpgradeLimits {
  readonly stop: number;
  readonly package: number;
  readonly reconfigure: number;
  readonly healthy: number;
  readonly backup: number;
  readonly backupMinutes: number;
  readonly silenceMinutes: number;
  /** The backup that may be gone back to; empty: none. It decides nothing but whether that is refused. */
  readonly back: string;
}

/** A host made ready: what its software needs from outside, what it must know of it, and its standing checks. */
export const upgradeHostTable = (name: string, software?: string): Table => [
  ...(software === undefined ? [] : [softwareRow(name, software)]),
  {
    phase: "configure",
    script: "upgrade/configure",
    on: "each",
    says: "the host knows its services and how they are operated; disk and services are checked by timers",
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
  says: "a repository offers the package to the host, and the settings are there that it is installed with",
  words: (keepers) => [keepers["conf.role"] ?? ""],
  deadlineSeconds: 900,
});

type Versioned = Pick<Row, "limits" | "words">;

/**
 * One version on all hosts (rows 000-006 to 000-025, 000-084 to 000-092). Each phase is a barrier: a host that fails in
 * one keeps every host from the next. The way back is the same table; only then a backup is put back.
 */
export function stagedUpgradeTable(goal: UpgradeGoal, limits: UpgradeLimits): Table {
  const { name, others } = goal;
  const version: Versioned = { limits: [name], words: (keepers) => [keepers.version ?? ""] };
  return [
    ...backedUpRows(name, version, limits),
    ...stopRows(name, others, limits),
    ...packageRows(goal, version, limits),
    ...reconfigureRows(goal, version, limits),
    ...provenRows(goal, version, limits),
  ];
}

/** While everything still runs. */
const backedUpRows = (name: string, version: Versioned, limits: UpgradeLimits): Row[] => [
  {
    ...version,
    phase: "fetch",
    script: "upgrade/fetch",
    on: "each",
    says: "exactly this version is loaded from a repository; nothing is installed",
    deadlineSeconds: limits.package,
  },
  {
    phase: "silence",
    name: "silence",
    script: "upgrade/silence",
    on: "each",
    says: "alerts are silent, and users are told; it ends by itself",
    limits: [name, "on", String(limits.silenceMinutes)],
    deadlineSeconds: 120,
  },
  {
    phase: "backup",
    script: "upgrade/backup",
    on: "main",
    limits: [name, String(limits.backupMinutes), limits.back || "none"],
    says: "the whole database is in a backup that ended well: both programs' results, size, end mark, gzip -t",
    deadlineSeconds: limits.backup,
  },
  {
    phase: "trial",
    script: "upgrade/trial",
    on: "main",
    limits: [name],
    says: "the backup was restored into a scratch server and has the same tables and numbers of rows",
    deadlineSeconds: limits.backup,
  },
];

const packageRows = ({ name, others }: UpgradeGoal, version: Versioned, limits: UpgradeLimits): Row[] => [
  {
    ...version,
    phase: "package",
    script: "upgrade/package",
    on: "each",
    says: "exactly this version is installed; the package has reconfigured nothing by itself",
    deadlineSeconds: limits.package,
  },
  {
    ...version,
    phase: "restore",
    script: "upgrade/restore",
    on: "main",
    says: "only if a newer version has migrated the database: the backup from before that is put back",
    limits: [...(version.limits ?? []), limits.back || "none"],
    deadlineSeconds: limits.backup,
    pointOfNoReturn: true,
  },
  ...(others.length > 0 ? [restRow(name)] : []),
];

/** @param watch for how many seconds nothing may start again; left out: the script's own number. */
const healthRow = (
  name: string,
  limits: UpgradeLimits,
  ...watch: readonly string[]
): Omit<Row, "phase" | "on" | "says"> => ({
  script: "upgrade/health",
  limits: [name, String(limits.healthy), ...watch],
  reads: true,
  deadlineSeconds: limits.healthy + 60,
});

const restRow = (name: string): Row => ({
  phase: "restore",
  name: "rest",
  script: "upgrade/rest",
  on: "others",
  limits: [name],
  says: "nothing writes while the database is migrated: the host was not started again meanwhile",
  deadlineSeconds: 60,
});

/** The main database alone, then the others, so many at once. */
const reconfigureRows = ({ name, groups }: UpgradeGoal, version: Versioned, limits: UpgradeLimits): Row[] => [
  {
    ...version,
    phase: "reconfigure-main",
    name: "reconfigure-main",
    script: "upgrade/reconfigure",
    on: "main",
    says: "the main database is migrated: back goes only by way of the backup",
    deadlineSeconds: limits.reconfigure,
    pointOfNoReturn: true,
  },
  {
    // All wait for it; whether it stays so is looked at again with all others.
    ...healthRow(name, limits, "3"),
    phase: "health-main",
    name: "health-main",
    on: "main",
    says: "its supervisor and services run without a restart loop, and the database answers",
  },
  ...groups.map((_, index): Row => ({
    ...version,
    phase: `reconfigure-${String(index + 1)}`,
    name: "reconfigure",
    script: "upgrade/reconfigure",
    on: `group-${String(index + 1)}`,
    says: "the host is brought to its package's version, and its services are started",
    deadlineSeconds: limits.reconfigure,
  })),
];

/** What must hold before it is said that the version runs. */
const provenRows = ({ name, smoke }: UpgradeGoal, version: Versioned, limits: UpgradeLimits): Row[] => [
  {
    ...healthRow(name, limits),
    phase: "health",
    name: "health",
    on: "each",
    says: "the supervisor and every service of the role run, none of them again and again; the disk has room",
  },
  ...smoke.map((test): Row => ({
    phase: "smoke",
    name: `smoke-${test.name}`,
    script: "upgrade/smoke",
    on: `smoke-${test.name}`,
    says: `${test.name} works, and nothing of its test is left`,
    limits: [name, String(test.seconds), test.command, test.cleanUp],
    words: () => [test.name],
    beside: true,
    deadlineSeconds: 2 * test.seconds + 60,
  })),
  {
    phase: "unsilence",
    name: "unsilence",
    script: "upgrade/silence",
    on: "each",
    limits: [name, "off"],
    says: "alerts are heard again",
    deadlineSeconds: 120,
  },
  {
    ...version,
    phase: "green",
    script: "upgrade/green",
    on: "main",
    says: "since when this version runs with all checks passed is written down",
    deadlineSeconds: 30,
  },
];

/** The others first: the database is stopped when nobody writes any more. */
function stopRows(name: string, others: readonly string[], limits: UpgradeLimits): Row[] {
  const stop: Omit<Row, "phase" | "on" | "name"> = {
    script: "upgrade/stop",
    says: "every service has stopped, after a backup that is not too old",
    limits: [name, String(limits.backupMinutes)],
    takes: "upgrade/trial",
    deadlineSeconds: limits.stop,
  };
  return [
    ...(others.length > 0 ? [{ ...stop, phase: "stop", name: "stop", on: "others" }] : []),
    { ...stop, phase: "stop-main", name: "stop-main", on: "main" },
  ];
}
