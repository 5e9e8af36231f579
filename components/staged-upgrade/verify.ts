import type { LookRequest } from "../system.ts";
import type { UpgradeOutput } from "./soak.ts";
import type { Look as LookOf } from "../../transition/decide.ts";
import { hours, type UpgradeFacts } from "./decide.ts";

/** A staged upgrade in the state. */
export interface UpgradeExpected extends UpgradeOutput {
  readonly hosts: readonly string[];
  readonly main: string;
  readonly diskPercent: number;
}

/** The facts of a host now. */
export interface UpgradeSeen extends UpgradeFacts {
  /** Whether the package is completely installed. */
  readonly whole: boolean;
  /** Why the states of the services are unknown. */
  readonly services_why: string | null;
  /** On the main host: why the database can't be reached. */
  readonly database: string | null;
  readonly silenced: boolean;
}

export type Look = LookOf<UpgradeSeen>;

/**
 * The differences between hosts and state, one line each.
 *
 * @param scripts the folder of the scripts on a host.
 */
export function upgradeDifferences(
  name: string,
  { ran, diskPercent }: UpgradeExpected,
  looks: readonly Look[],
  scripts: (host: string) => string,
): string[] {
  const version = ran.at(-1)?.version;
  const none = version === undefined ? ["no version has passed its checks yet; run: npx pulumi up"] : [];
  return [
    ...none,
    ...looks.flatMap(({ host, facts }) => {
      if (!facts) return [];
      if (!facts.configured)
        return [
          `${host}: has no settings for ${name}; start its transition again: npx pulumi up --replace '**::${name}-${host}-host-id'`,
        ];
      const unsilence = `bash ${scripts(host)}/upgrade/silence-alerts.sh ${name} ${name} off`;
      return [
        ...ofPackage(name, facts, version),
        ...ofServices(facts),
        ...(facts.disk_percent > diskPercent
          ? [`has ${String(facts.disk_percent)} % of its disk in use (allowed: ${String(diskPercent)} %)`]
          : []),
        ...(facts.silenced
          ? [`alerts are silent; if no upgrade is running, turn them on again: ${unsilence}`]
          : []),
      ].map((line) => `${host}: ${line}`);
    }),
  ];
}

/** Two cures: the package manager repairs one host; a new run of the upgrade stops all hosts. */
function ofPackage(name: string, { installed, whole }: UpgradeSeen, version: string | undefined): string[] {
  if (version === undefined || (installed === version && whole)) return [];
  const state = installed === null ? "nothing installed" : `${installed} ${whole ? "" : "half "}installed`;
  return [
    `has ${state}, but the state says ${version}; install ${version} there by hand, or on all hosts, which stops all services: npx pulumi up --replace '**::${name}-upgrade-id'`,
  ];
}

function ofServices({ supervisor, not_running: down, services_why: why, database }: UpgradeSeen): string[] {
  return [
    ...(supervisor ? [] : ["supervisor does not run; start it"]),
    ...(down.length > 0 ? [`not RUNNING: ${down.join(", ")}; read their logs, then start them`] : []),
    ...(why === null ? [] : [why]),
    ...(database === null ? [] : [database]),
  ];
}

/** A host in one line for the operator. @param elapsed seconds since it answered. */
export function describeUpgrade(facts: UpgradeSeen, elapsed = 0): string {
  if (!facts.configured) return "has no settings of the upgrade";
  const down =
    facts.not_running.length > 0 ? `not RUNNING: ${facts.not_running.join(", ")}` : "all services RUNNING";
  const words = [
    `${facts.installed ?? "nothing"} installed`,
    ...[`${String(facts.disk_percent)} % of the disk in use`, facts.services_why ?? down],
    ...(facts.supervisor ? [] : ["no supervisor"]),
    ...(facts.backup_age_s === null
      ? []
      : [`last verified backup ${hours(facts.backup_age_s + elapsed)} old`]),
    ...(facts.silenced ? ["alerts are silent"] : []),
  ];
  return words.join(", ");
}

/** The looks that `verify` and `look` need. */
export const looksOfUpgrade = (name: string, { hosts }: UpgradeExpected): LookRequest[] =>
  hosts.map((host) => ({ host, probe: "upgrade/probe", words: [name, name] }));
