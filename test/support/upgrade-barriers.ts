import { expect } from "vitest";
import { type Row, rowName, type Table } from "../../transition/table.ts";
import { stagedUpgradeTable } from "../../components/staged-upgrade/table.ts";
import { upgradeGoal } from "../../components/staged-upgrade/goal.ts";
import type { StagedUpgrade } from "../../components/staged-upgrade/config.ts";
import { parseConfig } from "../../config.ts";
import { type UpgradeStep, upgradeSteps } from "./incident.ts";
import type { Run } from "./engine.ts";
import { ok } from "./runs.ts";
import { scalr, scalrHosts } from "./scalr.ts";
import type { ScalrSite } from "./scalr-site.ts";

/** One phase of the upgrade, with its script and one of its hosts. */
export interface Barrier {
  readonly phase: string;
  readonly step: UpgradeStep;
  readonly host: string;
}

const hosts = Object.keys(scalrHosts).sort();
const config = parseConfig(
  {
    platform: "local",
    hosts: Object.fromEntries(hosts.map((name) => [name, {}])),
    stagedUpgrades: { scalr: scalr() },
  },
  "Pulumi.test.yaml",
).stagedUpgrades.scalr as StagedUpgrade;
const goal = upgradeGoal("scalr", config);

const limits = {
  ...config.seconds,
  backupMinutes: config.backup.maxAgeMinutes,
  silenceMinutes: config.silence.minutes,
  back: "",
};
const each = { on: "each", says: "-", deadlineSeconds: 1 } as const;
/** The table, with the first and last rows of every transition. */
const table: Table = [
  { ...each, phase: "claim", script: "claim" },
  ...stagedUpgradeTable(goal, limits),
  { ...each, phase: "done", script: "done" },
];

function hostsOf({ on }: Row): readonly string[] {
  if (on === "each") return hosts;
  if (on === "main") return [goal.main];
  if (on === "others") return goal.others;
  const smoke = goal.smoke.find(({ name }) => on === `smoke-${name}`);
  return smoke ? [smoke.on] : (goal.groups[Number(on.replace("group-", "")) - 1] ?? []);
}

const phases = [...new Set(table.map(({ phase }) => phase))];

/** Every phase of the table, in order, each time on another of its hosts; scalr-proxy with RPMs is among them. */
export const barriers: readonly Barrier[] = phases.map((phase, index) => {
  const row = table.find((one) => one.phase === phase) as Row;
  const among = hostsOf(row);
  const step = (Object.keys(upgradeSteps) as UpgradeStep[]).find((one) => upgradeSteps[one] === row.script);
  if (!step) throw new Error(`no incident can be arranged in ${row.script}`);
  return { phase, step, host: among[index % among.length] as string };
});

/** The scripts that a phase and the phases before it may have begun, in the form of `ScalrSite.begun`: `install-package@scalr-db`. */
function allowedBy(phase: string): Set<string> {
  const rows = table.filter((row) => at(row.phase) <= at(phase) && row.script.includes("/"));
  return new Set(
    rows.flatMap((row) => hostsOf(row).map((host) => `${row.script.replace("upgrade/", "")}@${host}`)),
  );
}

const at = (phase: string): number => phases.indexOf(phase);

/** The names of a phase's resources in the CLI's output, without `scalr-upgrade-`. */
function namesOf(phase: string): string[] {
  return table
    .filter((row) => row.phase === phase)
    .flatMap((row) => {
      const name = row.script.includes("/") ? rowName(row) : row.phase;
      return row.on === "main" ? [name] : hostsOf(row).map((host) => `${name}-${host}`);
    });
}

/** The resource names of the phases before or after one. */
export const namesBefore = (phase: string): string[] =>
  phases.slice(0, Math.max(0, at(phase))).flatMap(namesOf);
const namesAfter = (phase: string): string[] => phases.slice(at(phase) + 1).flatMap(namesOf);

const named = (output: string, how: string): string[] => [
  ...new Set(
    [...output.matchAll(new RegExp(`scalr-upgrade-([\\w-]+) ${how}`, "g"))].map(([, name]) => name ?? ""),
  ),
];

/** Resources of the upgrade that a run began to create, and those that failed. */
export const made = ({ output }: Run): string[] => named(output, "creat");
export const failures = ({ output }: Run): string[] => named(output, "\\*\\*creating failed");

/** No script of a later phase has begun on any host. */
export async function stoppedAt(site: ScalrSite, phase: string, runs: readonly Run[]): Promise<void> {
  const later = namesAfter(phase);
  for (const run of runs) expect(made(run).filter((name) => later.includes(name))).toEqual([]);
  const allowed = allowedBy(phase);
  expect((await site.begun()).filter((one) => !allowed.has(one))).toEqual([]);
}

/** The phase of a resource. */
export const stageOf = (name: string): string | undefined =>
  phases.find((phase) => namesOf(phase).includes(name));

/** Go back to a version, as an operator does. @returns whether acceptDataLoss was needed. */
export async function goBack(site: ScalrSite, version: string): Promise<boolean> {
  site.set({ version });
  const run = await site.up();
  const line = /acceptDataLoss: "(\d{8}T\d{6}): why"/.exec(run.output)?.[1];
  if (line === undefined) {
    ok(run);
    return false;
  }
  site.set({ acceptDataLoss: `${line}: the test goes back` });
  ok(await site.up());
  site.set({ acceptDataLoss: undefined });
  return true;
}
