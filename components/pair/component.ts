import * as pulumi from "@pulumi/pulumi";
import type { Operated, Site } from "../../transition/site.ts";
import type { Transition } from "../../transition/transition.ts";
import type { Component } from "../system.ts";
import type { Pair as PairConfig } from "./config.ts";
import { outcomeOf, type PairDatabase, type Status } from "./goal.ts";
import { Pair } from "./pair.ts";
import { provision } from "./provision.ts";
import { switchProduction } from "./switch.ts";
import type { PairExpected } from "./verify.ts";

/**
 * Two machines: production, and a standby that streams PostgreSQL from it. The service address follows production.
 * `production` in the config names that machine; changing it plans a switch.
 */
export class PrimaryStandbyPair extends pulumi.ComponentResource {
  readonly operated: Operated<PairExpected>;

  constructor(name: string, config: PairConfig, site: Site, opts?: pulumi.ComponentResourceOptions) {
    super("changeover:index:PrimaryStandbyPair", name, { production: config.production }, opts);
    const pair = new Pair(name, config, site, this);
    const emergency = pair.lost !== undefined;
    warnOfAccepted(pair);

    // In an emergency nothing comes before the switch.
    const first = emergency ? switchProduction(pair) : provision(pair);
    const second = emergency ? provision(pair, first) : switchProduction(pair, first);
    const [provisioned, switched] = emergency ? [second, first] : [first, second];
    this.operated = operatedBy(pair, [provisioned, switched], second.finished);
    this.registerOutputs({ statuses: pair.statuses, address: pair.service.address });
  }
}

function operatedBy(
  pair: Pair,
  transitions: readonly Transition[],
  finished: pulumi.Resource,
): Operated<PairExpected> {
  const { name, statuses, secrets } = pair;
  const { address } = pair.service;
  const provides: PairDatabase = {
    address,
    port: pair.config.port,
    name: pair.config.database,
    password: secrets.owner,
    ready: finished,
  };
  return {
    hosts: pair.machineNames,
    marks: transitions.flatMap(({ marks }) => marks),
    finished: [finished],
    outcome: outcomeOf(pair.goal),
    expected: address.apply((serviceAddress) => ({ component: name, statuses, address: serviceAddress })),
    outputs: { serviceAddresses: address, ownerPasswords: secrets.owner },
    reached: { statuses: { ended: statuses, before: openStatuses(statuses) } },
    provides,
  };
}

/** While a switch has not ended, a machine is neither what it was nor what it will be. */
const openStatuses = (statuses: Readonly<Record<string, Status>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.keys(statuses).map((host) => [host, "open"]));

/** A line that accepts this risk is for one emergency only. */
function warnOfAccepted({ name, config, lost }: Pair): void {
  if (config.acceptSplitBrainRisk !== undefined && lost === undefined)
    void pulumi.log.warn(
      `changeover:pairs.${name}.acceptSplitBrainRisk has no effect while both machines are in service; remove it`,
    );
}

/** How the estate declares a pair. */
export const component: Component<PairConfig, PairExpected> = {
  declare: (name, config, site) => new PrimaryStandbyPair(name, config, site).operated,
};
