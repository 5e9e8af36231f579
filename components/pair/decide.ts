import { type Check, type Decision, findings, nextEpoch, recordChecks } from "../../transition/decide.ts";
import { admitCommand, allowedClients, mayConnect } from "./clients.ts";
import { decideAlone } from "./decide-alone.ts";
import { decideSwitch } from "./decide-switch.ts";
import type { Look, PairFacts, PairWanted, Verdict } from "./facts.ts";

export type { Look, PairFacts, PairWanted } from "./facts.ts";

/** Refusals of every transition, for each machine. */
const always: readonly Check<PairFacts, PairWanted>[] = [
  ...recordChecks,
  (_, look, { maxClockSkewSeconds }) =>
    Math.abs(look.skewMs ?? 0) > maxClockSkewSeconds * 1000 &&
    `has a clock that is off by ${((look.skewMs ?? 0) / 1000).toFixed(1)} s (allowed: ${String(maxClockSkewSeconds)} s); set the clock, and repair time synchronisation`,
  (facts, _, { minFreeMiB }) =>
    facts.free_mib !== null &&
    facts.free_mib < minFreeMiB &&
    `has ${String(facts.free_mib)} MiB free for its database (needed: ${String(minFreeMiB)} MiB); make room`,
  (facts) =>
    facts.cluster === "foreign" &&
    "has a database cluster that this program did not create; move it away, or name another machine",
  (facts) =>
    facts.address_in_network_files &&
    `has the service address in its own network file ${facts.address_in_network_files}, and would take it at boot in any role; remove it from that file`,
];

/** Further refusals of a switch, for each machine. One that has lost its database gets a copy, if the other one serves. */
const forSwitch: readonly Check<PairFacts, PairWanted>[] = [
  (facts) =>
    facts.cluster === "absent" &&
    !(facts.configured && facts.unusable) &&
    "has no database cluster of this pair: provisioning has not run on it",
];

/** Further refusals of a provisioning, for each machine. */
const forProvision: readonly Check<PairFacts, PairWanted>[] = [
  (facts) =>
    facts.cluster === "absent" &&
    facts.data_is_mount &&
    "has a mount point as the folder of its database, which no copy can replace; mount that disk one level higher",
];

/**
 * Whether a transition of a pair may begin, from all looks at once. A refusal depends on open records and on the
 * measured state: a state that is wrong in a settled pair is normal after a switch that stopped half-way. Such a switch
 * must be able to go on and back.
 */
export function decidePair(looks: readonly Look[], wanted: PairWanted): Decision {
  const epoch = nextEpoch(looks);
  const checks = [...always, ...(wanted.transition === "switch" ? forSwitch : forProvision)];
  const refusals = findings(looks, wanted, checks);
  const answered = looks.every(({ facts }) => facts);
  const together: Verdict =
    answered && wanted.transition === "switch"
      ? decideTogether(looks, wanted, epoch)
      : { refusals: [], notes: [] };
  return {
    ...together,
    refusals: [...refusals, ...together.refusals, ...whyNoCheck(looks, wanted)],
    epoch,
  };
}

/**
 * The check after a switch would be refused by the database, after everything was done. It is certain when neither the
 * address that a machine sees nor the operator's own one may connect. A provisioning is refused when the first switch
 * comes after it. An emergency is not: serving users comes before their check.
 */
function whyNoCheck(looks: readonly Look[], wanted: PairWanted): string[] {
  const { operator, transition, component, lost } = wanted;
  const switched = looks.every(({ facts }) => facts?.done.switch !== undefined);
  if (!operator || operator.behindBastion || lost !== undefined || (transition === "provision" && switched))
    return [];
  const { clients, address } = operator;
  const [seen] = looks.flatMap(({ facts }) => facts?.client ?? []);
  if (seen === undefined || [seen, address].some((one) => one !== undefined && mayConnect(one, clients)))
    return [];
  return [
    `this machine checks ${component} after the switch, and its address ${seen} may not connect to the database (allowed: ${allowedClients(clients)}); admit it: ${admitCommand(component, clients.length, seen)}`,
  ];
}

function decideTogether(looks: readonly Look[], wanted: PairWanted, epoch: number): Verdict {
  if (wanted.lost === undefined) return decideSwitch(looks, wanted, epoch);
  const facts = looks.find(({ host }) => host === wanted.production)?.facts;
  return facts ? decideAlone(facts, wanted.lost, wanted, epoch) : { refusals: [], notes: [] };
}

/** The file in which a preflight finds `deciders`. */
export const decides = import.meta.filename;
export const deciders = { pair: decidePair };
