import { type Row, rowName, type Table } from "../../components/table.ts";
import { stagedUpgradeTable } from "../../components/staged-upgrade-table.ts";
import { upgradeGoal } from "../../components/staged-upgrade-goal.ts";
import { parseConfig, type StagedUpgrade } from "../../config.ts";
import { type UpgradeStep, upgradeSteps } from "./incident.ts";
import { scalr, scalrHosts } from "./scalr.ts";

/** One stage of the upgrade of the five hosts, with the script that it runs and one of the hosts that it runs on. */
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
  ...{ backupMinutes: config.backup.maxAgeMinutes, silenceMinutes: config.silence.minutes, back: "" },
};
const each = { on: "each", says: "-", deadlineSeconds: 1 } as const;
/** As the program runs it, with what every transition begins and ends with. */
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

/** Every stage of the table, in order; of many hosts another one each time, the one with RPMs among them. */
export const barriers: readonly Barrier[] = phases.map((phase, index) => {
  const row = table.find((one) => one.phase === phase) as Row;
  const among = hostsOf(row);
  const step = (Object.keys(upgradeSteps) as UpgradeStep[]).find((one) => upgradeSteps[one] === row.script);
  if (!step) throw new Error(`no incident can be arranged in ${row.script}`);
  return { phase, step, host: among[index % among.length] as string };
});

/** What a stage and those before it may have begun, as `ScalrSite.begun` says it: `package@scalr-db`. */
export function allowedBy(barrier: Barrier): Set<string> {
  const until = phases.indexOf(barrier.phase);
  const rows = table.filter(({ phase, script }) => phases.indexOf(phase) <= until && script.includes("/"));
  return new Set(
    rows.flatMap((row) => hostsOf(row).map((host) => `${row.script.replace("upgrade/", "")}@${host}`)),
  );
}

/** The names of a stage's resources and of those before or after it, as the CLI says them: without `scalr-upgrade-`. */
export function namesOf(which: (stage: number, here: number) => boolean, barrier: Barrier): string[] {
  const here = phases.indexOf(barrier.phase);
  const rows = table.filter(({ phase }) => which(phases.indexOf(phase), here));
  return rows.flatMap((row) => {
    const name = row.script.includes("/") ? rowName(row) : row.phase;
    return row.on === "main" ? [name] : hostsOf(row).map((host) => `${name}-${host}`);
  });
}
