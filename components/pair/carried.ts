import type { Pair as PairConfig } from "./config.ts";

type Carried = Pick<
  PairConfig,
  "replication" | "directories" | "rsyncPort" | "indexes" | "services" | "checks" | "copyAt"
>;

/** Whether a timer copies anything to the standby. */
export function isCopied(config: Carried): boolean {
  return copiesOf(config).length > 0;
}

/** Whether a switch has a last copy. The database needs none, since a switch streams it. */
export function hasFiles({ directories, indexes }: Pick<Carried, "directories" | "indexes">): boolean {
  return Object.keys(directories).length + Object.keys(indexes).length > 0;
}

/** The names of all copies in the records of the machines. */
export function copiesOf({ replication, directories, indexes }: Carried): string[] {
  return [
    ...(replication === "snapshot" ? ["database"] : []),
    ...Object.keys(directories),
    ...Object.keys(indexes),
  ];
}

/** Whether a role starts and stops services besides the database. */
export function hasServices({ services }: Pick<Carried, "services">): boolean {
  return Object.keys(services).length > 0;
}

/** Whether production has anything to check besides the database. */
export function hasChecks(config: Carried): boolean {
  return hasServices(config) || hasFiles(config) || Object.keys(config.checks).length > 0;
}

/** The units of a service: the unit itself, or an instance for each of its ports. */
export function unitsOf({ unit, ports }: Carried["services"][string]): string[] {
  return unit.endsWith("@") ? ports.map((port) => `${unit}${String(port)}`) : [unit];
}

/**
 * What a pair carries besides its database, as lines of `/etc/<pair>/carries`. Empty for a pair that carries nothing,
 * so that its keepers are those of an older release.
 */
export function carriedLines(config: Carried): Record<string, string> {
  const lines = [
    ...Object.entries(config.directories).map(([name, path]) => [`directories.${name}`, path]),
    ...Object.entries(config.indexes).flatMap(([name, index]) => prefixed(`indexes.${name}`, index)),
    ...Object.entries(config.services).flatMap(([name, service]) => [
      ...prefixed(`services.${name}`, {
        units: unitsOf(service).join(" "),
        on: service.on,
        ports: service.ports.join(" "),
        logs: service.logs.join(" "),
      }),
      ...(service.portsAs === undefined ? [] : [[`settings.${service.portsAs}`, service.ports.join(" ")]]),
    ]),
    ...Object.entries(config.checks).flatMap(([name, { logs, ...check }]) =>
      prefixed(`checks.${name}`, { ...check, logs: logs.join(" ") }),
    ),
    ...(Object.keys(config.directories).length > 0 ? [["rsync_port", String(config.rsyncPort)]] : []),
    ...(config.replication === "snapshot" ? [["replication", "snapshot"]] : []),
    ...(isCopied(config) ? [["copy_at", config.copyAt]] : []),
  ];
  return Object.fromEntries(lines as [string, string][]);
}

function prefixed(prefix: string, fields: object): string[][] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]) => [`${prefix}.${key}`, String(value)]);
}
