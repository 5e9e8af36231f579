import type { LookRequest } from "../system.ts";
import type { UpgradeOutput } from "./soak.ts";
import type { Look as LookOf } from "../../transition/decide.ts";
import { hours, type UpgradeFacts } from "./decide.ts";

/** What the state says of a staged upgrade. */
export interface UpgradeExpected extends UpgradeOutput {
  readonly hosts: readonly string[];
  readonly main: string;
  readonly diskPercent: number;
}

/** What a host says of the software, as it is now. */
export interface UpgradeSeen extends UpgradeFacts {
  /** Whether the package is installed completely. */
  readonly whole: boolean;
  /** Why the services can't be known. */
  readonly services_why: string | null;
  /** On the main host: why the database can't be asked. */
  readonly database: string | null;
  readonly silenced: boolean;
}

export type Look = LookOf<UpgradeSeen>;

/**
 * Where the hosts differ from the state, a line each; empty: nowhere.
 *
 * @param scripts where they are on a host.
 */
export function upgradeDifferences(
  name: string,
  { ran, diskPercent }: UpgradeExpected,
  looks: readonly Look[],
  scripts: (host: string) => string,
): string[] {
  const version = ran.at(-1)?.version;
  const none = version === undefined ? ["no version has passed its checks yet: npx pulumi up"] : [];
  return [
    ...none,
    ...looks.flatMap(({ host, facts }) => {
      if (!facts) return [];
      if (!facts.configured)
        return [
          `${host}: was not told what ${name} is; start it again: npx pulumi up --replace '**::${name}-${host}-host-id'`,
        ];
      const quiet = `bash ${scripts(host)}/upgrade/silence.sh ${name} ${name} off`;
      return [
        ...ofPackage(name, facts, version),
        ...ofServices(facts),
        ...(facts.disk_percent > diskPercent
          ? [`has ${String(facts.disk_percent)} % of its disk in use (allowed: ${String(diskPercent)} %)`]
          : []),
        ...(facts.silenced
          ? [`its alerts are silent; to hear them again when no upgrade is under way: ${quiet}`]
          : []),
      ].map((line) => `${host}: ${line}`);
    }),
  ];
}

/** By hand it is one host; the whole upgrade stops them all. */
function ofPackage(name: string, { installed, whole }: UpgradeSeen, version: string | undefined): string[] {
  if (version === undefined || (installed === version && whole)) return [];
  const is = installed === null ? "nothing" : whole ? installed : `${installed} by half`;
  return [
    `has ${is} installed, the state says ${version}; bring it back there by its package manager, or all hosts, which stops them: npx pulumi up --replace '**::${name}-upgrade-id'`,
  ];
}

function ofServices({ supervisor, not_running: down, services_why: why, database }: UpgradeSeen): string[] {
  return [
    ...(supervisor ? [] : ["its supervisor does not run; start it there"]),
    ...(down.length > 0 ? [`not RUNNING: ${down.join(", ")}; see the log there, then start it`] : []),
    ...(why === null ? [] : [why]),
    ...(database === null ? [] : [database]),
  ];
}

/** What a host is now, in one line for the operator. */
export function describeUpgrade(facts: UpgradeSeen): string {
  if (!facts.configured) return "was told nothing";
  const down =
    facts.not_running.length > 0 ? `not RUNNING: ${facts.not_running.join(", ")}` : "all services RUNNING";
  const words = [
    `${facts.installed ?? "nothing"} installed`,
    ...[`${String(facts.disk_percent)} % of the disk in use`, facts.services_why ?? down],
    ...(facts.supervisor ? [] : ["no supervisor"]),
    ...(facts.backup_age_s === null ? [] : [`last verified backup ${hours(facts.backup_age_s)} old`]),
    ...(facts.silenced ? ["alerts are silent"] : []),
  ];
  return words.join(", ");
}

/** What each host says of the software. */
export const looksOfUpgrade = (name: string, { hosts }: UpgradeExpected): LookRequest[] =>
  hosts.map((host) => ({ host, probe: "upgrade/probe", words: [name, name] }));
