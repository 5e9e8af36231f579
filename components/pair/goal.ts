import type * as pulumi from "@pulumi/pulumi";

/** The statuses of a machine, as in its status file. */
export const statuses = [
  "down",
  "production",
  "standby",
  "production_alone",
  "standby_as_production",
  "production_as_standby",
] as const;

export type Status = (typeof statuses)[number];

/** The names of the machines, which never change their meaning, and the machine that serves. */
export interface PairGoal {
  readonly primary: string;
  readonly secondary: string;
  readonly production: string;
  /** Hosts on which no step runs. */
  readonly unreachable: readonly string[];
  /** Hosts of `unreachable` that may still answer. */
  readonly suspect?: readonly string[];
}

/** The four legal pairs of (primary, secondary). */
export const legalPairs: readonly (readonly [Status, Status])[] = [
  ["production", "standby"],
  ["down", "production_alone"],
  ["production_as_standby", "standby_as_production"],
  ["production_alone", "down"],
];

const serving: ReadonlySet<Status> = new Set(["production", "production_alone", "standby_as_production"]);

/** Whether a machine with this status accepts writes and holds the service address. */
export const serves = (status: Status): boolean => serving.has(status);

/** Why a pair of statuses is not legal; undefined for the four legal pairs. */
export function whyIllegal(primary: Status, secondary: Status): string | undefined {
  if (legalPairs.some(([ofPrimary, ofSecondary]) => ofPrimary === primary && ofSecondary === secondary))
    return undefined;
  const allowed = legalPairs.map((pair) => pair.join("/")).join(", ");
  const pair = `${primary}/${secondary} is not a state of a pair (allowed: ${allowed})`;
  if (serving.has(primary) && serving.has(secondary))
    return `${pair}: two servers would be production at once`;
  if (!serving.has(primary) && !serving.has(secondary)) return `${pair}: no server would be production`;
  return pair;
}

/** The machine of the pair that is not production. */
export function standbyOf({ primary, secondary, production }: PairGoal): string {
  return production === primary ? secondary : primary;
}

/** The lost machine of the pair; undefined: both are in service. */
export function lostMember({ primary, secondary, unreachable }: PairGoal): string | undefined {
  return [primary, secondary].find((host) => unreachable.includes(host));
}

/** Whether an update towards this goal is complete; else the part that it leaves out, and the cure. */
export function outcomeOf(goal: PairGoal): string {
  const lost = lostMember(goal);
  if (lost === undefined) return "complete";
  const list = goal.suspect?.includes(lost) ? "suspect" : "unreachable";
  return `incomplete: ${lost} is ${list}; provisioning is frozen at its last id; when ${lost} is repaired, remove it from changeover:${list}`;
}

/**
 * The status of each machine under a goal.
 *
 * @throws when no legal pair fits, with the reason and the cure.
 */
export function statusesOf(goal: PairGoal): Readonly<Record<string, Status>> {
  const { primary, secondary, production, unreachable } = goal;
  if (unreachable.includes(production)) {
    throw new Error(
      `production is ${production}, which is in changeover:unreachable; set production: ${standbyOf(goal)}, or remove ${production} from the list`,
    );
  }
  const alone = unreachable.includes(standbyOf(goal));
  const [ofPrimary, ofSecondary] = legalPair(production === primary, alone);
  return { [primary]: ofPrimary, [secondary]: ofSecondary };
}

function legalPair(primaryServes: boolean, alone: boolean): readonly [Status, Status] {
  if (alone) return primaryServes ? ["production_alone", "down"] : ["down", "production_alone"];
  return primaryServes ? ["production", "standby"] : ["production_as_standby", "standby_as_production"];
}

/** How an application connects to the database of a pair. */
export interface PairDatabase {
  readonly address: pulumi.Output<string>;
  readonly port: number;
  readonly name: string;
  readonly password: pulumi.Output<string>;
  readonly ready: pulumi.Resource;
}
