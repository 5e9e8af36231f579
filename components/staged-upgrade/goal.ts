import type { StagedUpgrade } from "./config.ts";

/** A smoke test as the goal has it. */
export interface SmokeTest {
  readonly name: string;
  readonly on: string;
  readonly seconds: number;
  readonly command: string;
  readonly cleanUp: string;
}

/** What the hosts of an upgrade are to each other. Everything sorted, so that no order in a file matters. */
export interface UpgradeGoal {
  readonly name: string;
  readonly main: string;
  /** All but the main host, and the same in the groups that are reconfigured at once. */
  readonly others: readonly string[];
  readonly groups: readonly (readonly string[])[];
  readonly smoke: readonly SmokeTest[];
}

/** The goal of one staged upgrade of a stack file. */
export function upgradeGoal(name: string, config: StagedUpgrade): UpgradeGoal {
  const others = Object.keys(config.hosts)
    .filter((host) => host !== config.main)
    .sort();
  const groups = Array.from({ length: Math.ceil(others.length / config.parallel) }, (_, index) =>
    others.slice(index * config.parallel, (index + 1) * config.parallel),
  );
  const smoke = Object.entries(config.smoke)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([test, { on, seconds, command, cleanUp = "" }]) => ({ name: test, on, seconds, command, cleanUp }));
  return { name, main: config.main, others, groups, smoke };
}

/** What a host is told of the software: `scripts/upgrade/configure.sh` keeps it there. */
export function settingsOf(config: StagedUpgrade, host: string): Record<string, string> {
  const { commands, database, backup, silence } = config;
  const role = config.hosts[host] ?? "";
  const isMain = host === config.main;
  const telling = host === (silence.from ?? config.main) ? silence : undefined;
  return {
    package: config.package,
    role,
    main: isMain ? "yes" : "no",
    folder: config.folder,
    disk_percent: String(config.diskPercent),
    services: [...(config.services[role] ?? [])].sort().join(" "),
    stop: commands.stop,
    start: commands.start ?? "",
    reconfigure: commands.reconfigure,
    status: commands.status,
    supervisor: commands.supervisor,
    supervisor_says: commands.supervisorSays,
    kind: config.kinds[host] ?? "auto",
    skip_file: config.selfReconfigure ?? "",
    silence: telling?.on ?? "",
    unsilence: telling?.off ?? "",
    ...(isMain
      ? {
          dump: database.dump,
          client: database.client,
          credentials: database.credentials,
          database_start: database.start,
          database_stop: database.stop,
          backup_folder: backup.folder,
          keep: String(backup.keep),
        }
      : {}),
  };
}

/** The backup that the config allows to go back to. */
export const backupIn = (acceptDataLoss: string | undefined): string => acceptDataLoss?.split(":")[0] ?? "";

/** How long the look at a host may take: a repository may take a minute to say what it offers. */
export const lookSeconds = 75;
