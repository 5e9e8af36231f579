import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { PrimaryStandbyPair } from "./components/pair.ts";
import { HostScripts } from "./components/step.ts";
import type { Member } from "./components/transition.ts";
import { readConfig } from "./config.ts";
import { platformOf } from "./platforms/platforms.ts";

const config = readConfig();
const platform = await platformOf(config);

/** Hosts record the stack that operates them; another one is refused. */
const stack = new random.RandomId("stack", { byteLength: 8 }, { protect: config.platform !== "local" });

const members = new Map<string, Member>();
for (const [name, host] of platform.hosts) {
  const unreachable = config.unreachable.includes(name);
  const scripts = unreachable ? undefined : new HostScripts(host, {});
  members.set(name, { host, unreachable, release: scripts?.release ?? "", scripts: scripts?.copy });
}

const pairs = Object.entries(config.pairs).map(([name, pair]): [string, PrimaryStandbyPair] => [
  name,
  new PrimaryStandbyPair(name, {
    config: pair,
    unreachable: config.unreachable,
    hosts: members,
    platform,
    stack: stack.hex,
    adopt: config.adopt,
  }),
]);

export const stackId = stack.hex;
export const machines = platform.outputs;
export const serviceAddresses = Object.fromEntries(pairs.map(([name, { address }]) => [name, address]));
export const statuses = Object.fromEntries(pairs.map(([name, pair]) => [name, pair.statuses]));
export const ownerPasswords = Object.fromEntries(
  pairs.map(([name, { ownerPassword }]) => [name, ownerPassword]),
);

/** What `npm run verify` compares the hosts with. */
export const expected = pulumi.output(
  pairs.map(([name, { transitions, statuses: expectedStatuses, address }]) => ({
    component: name,
    kind: "pair",
    transitions,
    statuses: expectedStatuses,
    address,
  })),
);
export const targets = pulumi.output(
  Object.fromEntries(
    [...members].map(([name, { host, release, unreachable }]) => [
      name,
      { ssh: host.ssh, release, unreachable },
    ]),
  ),
);
