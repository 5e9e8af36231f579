import type * as pulumi from "@pulumi/pulumi";

/** The six statuses of the seed, and no other (rows 004-034 to 004-041). */
export const statuses = [
  "down",
  "production",
  "standby",
  "production_alone",
  "standby_as_production",
  "production_as_standby",
] as const;

export type Status = (typeof statuses)[number];

/** Which machine is which, and which one serves. Identity is not role (row 004-003). */
export interface PairGoal {
  readonly primary: string;
  readonly secondary: string;
  readonly production: string;
  /** Hosts that no step runs on. */
  readonly unreachable: readonly string[];
  /** Those of them that may still answer. */
  readonly suspect?: readonly string[];
}

/** The four legal pairs of (primary, secondary), rows 004-043 to 004-046. */
export const legalPairs: readonly (readonly [Status, Status])[] = [
  ["production", "standby"],
  ["down", "production_alone"],
  ["production_as_standby", "standby_as_production"],
  ["production_alone", "down"],
];

const serving: ReadonlySet<Status> = new Set(["production", "production_alone", "standby_as_production"]);

/** Why a pair of statuses must not be, in words; undefined for the four legal ones. */
export function whyIllegal(primary: Status, secondary: Status): string | undefined {
  if (legalPairs.some(([one, other]) => one === primary && other === secondary)) return undefined;
  const allowed = legalPairs.map((pair) => pair.join("/")).join(", ");
  const pair = `${primary}/${secondary} is no state of a pair (allowed: ${allowed})`;
  if (serving.has(primary) && serving.has(secondary))
    return `${pair}: two servers would be production at once`;
  if (!serving.has(primary) && !serving.has(secondary)) return `${pair}: no server would be production`;
  return pair;
}

/** The machine of the pair that is not production. */
export function standbyOf({ primary, secondary, production }: PairGoal): string {
  return production === primary ? secondary : primary;
}

/** The machine of the pair that the goal does without; undefined: both are in service. */
export function lostMember({ primary, secondary, unreachable }: PairGoal): string | undefined {
  return [primary, secondary].find((host) => unreachable.includes(host));
}

/** What an update towards this goal leaves out, and until when. */
export function outcomeOf(goal: PairGoal): string {
  const lost = lostMember(goal);
  if (lost === undefined) return "complete";
  const list = goal.suspect?.includes(lost) ? "suspect" : "unreachable";
  return `incomplete: ${lost} is ${list}; provisioning is frozen at its last id; take it off changeover:${list} when it is mended`;
}

/**
 * The status of each machine under a goal (rows 004-032 to 004-047).
 *
 * @throws when no legal pair fits, with the reason and the cure.
 */
export function statusesOf(goal: PairGoal): Readonly<Record<string, Status>> {
  const { primary, secondary, production, unreachable } = goal;
  if (unreachable.includes(production)) {
    throw new Error(
      `production is ${production}, which is in changeover:unreachable; name ${standbyOf(goal)} as production, or take ${production} off the list`,
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

/** What an application is given that keeps its data in a pair: where the database is, and who it is there. */
export interface PairDatabase {
  readonly address: pulumi.Output<string>;
  readonly port: number;
  readonly name: string;
  readonly password: pulumi.Output<string>;
  readonly ready: pulumi.Resource;
}
