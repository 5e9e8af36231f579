import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { sourceTowards } from "../../config/source-address.ts";
import type { Fence, ServiceAddress } from "../../platforms/platform.ts";
import type { Wanted } from "../../transition/decide.ts";
import type { Keepers } from "../../transition/table.ts";
import type { Decide, Site, SiteTransitionArgs } from "../../transition/site.ts";
import type { Transition } from "../../transition/transition.ts";
import { copiesOf } from "./carried.ts";
import type { Pair as PairConfig } from "./config.ts";
import { decides } from "./decide.ts";
import type { PairWanted } from "./facts.ts";
import { lostMember, type PairGoal, type Status, standbyOf, statusesOf } from "./goal.ts";

/**
 * What a secret of a pair is for: the records that its machines ask each other for (`peer`), role `changeover`
 * (`replication`), the copies (`rsync`), role `changeover_check` (`checks`), the owner of the database (`owner`).
 */
export type Purpose = "peer" | "replication" | "rsync" | "checks" | "owner";

/** What the two transitions of a pair have in common: its config, its site, its goal, and one way to declare a transition. */
export class Pair {
  readonly name: string;
  readonly config: PairConfig;
  readonly site: Site;
  readonly parent: pulumi.Resource;
  readonly goal: PairGoal;
  readonly statuses: Readonly<Record<string, Status>>;
  /** The lost machine of the pair, and the fence that cuts it off. */
  readonly lost: string | undefined;
  readonly fence: Fence | undefined;
  readonly service: ServiceAddress;
  /** A secret for each purpose: whoever has one has no other. */
  readonly secrets: Readonly<Record<Purpose, pulumi.Output<string>>>;

  constructor(name: string, config: PairConfig, site: Site, parent: pulumi.Resource) {
    this.name = name;
    this.config = config;
    this.site = site;
    this.parent = parent;
    const { primary, secondary, production } = config;
    this.goal = { primary, secondary, production, unreachable: site.unreachable, suspect: site.suspect };
    this.statuses = orRunError(name, () => statusesOf(this.goal));
    this.lost = lostMember(this.goal);
    this.fence = this.lost === undefined ? undefined : site.platform.fence(this.lost);
    this.service = site.platform.serviceAddress(name, config.serviceAddress);
    this.secrets = {
      peer: this.#password("secret"),
      replication: this.#password("replication"),
      rsync: this.#password("rsync"),
      checks: this.#password("checks"),
      owner: this.#password("owner"),
    };
  }

  get machineNames(): string[] {
    return [this.goal.primary, this.goal.secondary];
  }

  /** The identities of the machines: a rebuilt machine is a new goal. */
  machines(): Record<string, pulumi.Output<string>> {
    return this.site.machines(this.machineNames);
  }

  transition(
    transition: PairWanted["transition"],
    args: Omit<SiteTransitionArgs, "component" | "transition" | "hosts" | "decide">,
  ): Transition {
    const decide: Decide = {
      in: decides,
      kind: "pair",
      wanted: (keepers) => this.#wanted(keepers),
      probe: () =>
        transition === "switch" && this.lost === undefined
          ? ["pair/probe", this.name, "belongings"]
          : ["pair/probe", this.name],
    };
    return this.site.transition(
      { component: this.name, transition, hosts: this.machineNames, decide, ...args },
      { parent: this.parent },
    );
  }

  #password(purpose: string): pulumi.Output<string> {
    const args = { length: 40, special: false };
    return new random.RandomPassword(`${this.name}-${purpose}`, args, { parent: this.parent }).result;
  }

  /** Undefined: the check is not the operator's, or the platform admits the operator. */
  #operator(): pulumi.Output<PairWanted["operator"]> {
    const { checksFrom, clients } = this.config;
    if (checksFrom !== "operator" || this.site.platform.network) return pulumi.output(undefined);
    const targets = this.machineNames.map((name) => this.site.member(name).host.ssh);
    return pulumi.all([this.service.address, pulumi.all(targets)]).apply(async ([address, all]) => ({
      clients,
      address: await sourceTowards(address),
      behindBastion: all.some(({ proxy }) => proxy),
    }));
  }

  #wanted(keepers: Keepers): pulumi.Output<object> {
    const { config, goal } = this;
    const production = keepers.production ?? goal.primary;
    return this.#operator().apply((operator): Omit<PairWanted, keyof Wanted> => ({
      production,
      standby: keepers.standby ?? standbyOf({ ...goal, production }),
      maxLagMiB: config.maxLagMiB,
      maxClockSkewSeconds: config.maxClockSkewSeconds,
      minFreeMiB: config.minFreeMiB,
      copies: copiesOf(config),
      maxCopyAgeMinutes: config.maxCopyAgeMinutes,
      lost: this.lost,
      fenced: this.fence !== undefined,
      acceptSplitBrainRisk: config.acceptSplitBrainRisk,
      acceptDataLoss: config.acceptDataLoss,
      operator,
    }));
  }
}

function orRunError<T>(pair: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    throw new pulumi.RunError(`pair ${pair}: ${(error as Error).message}`);
  }
}
