import type { StagedUpgrade } from "./config.ts";

/** One smoke test of the goal. */
export interface SmokeTest {
  readonly name: string;
  readonly on: string;
  readonly seconds: number;
  readonly command: string;
  readonly cleanUp: string;
}

/** The main host, the other hosts and the smoke tests of an upgrade; sorted, so that the order in the file does not matter. */
export interface UpgradeGoal {
  readonly name: string;
  readonly main: string;
  /** All hosts but the main one; `groups` has the same hosts in groups that are reconfigured together. */
  readonly others: readonly string[];
  readonly groups: readonly (readonly string[])[];
  readonly smoke: readonly SmokeTest[];
}

/** The goal of one staged upgrade. */
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

/** The settings that `scripts/upgrade/configure-host.sh` writes on a host. */
export function settingsOf(config: StagedUpgrade, host: string): Record<string, string> {
  const { commands, database, backup, silence } = config;
  const role = config.hosts[host] ?? "";
  const isMain = host === config.main;
  const hostSilence = host === (silence.from ?? config.main) ? silence : undefined;
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
    silence: hostSilence?.on ?? "",
    unsilence: hostSilence?.off ?? "",
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

/** The backup id in `acceptDataLoss`; empty without one. */
export const backupIn = (acceptDataLoss: string | undefined): string => acceptDataLoss?.split(":")[0] ?? "";

/** The limit of a look at one host: a slow repository may take a minute. */
export const lookSeconds = 75;
