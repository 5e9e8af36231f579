import type * as pulumi from "@pulumi/pulumi";
import { keepersOf } from "../../transition/table.ts";
import type { Transition } from "../../transition/transition.ts";
import { type CacheGoal, placeOf } from "../cache/goal.ts";
import { deployed } from "./goal.ts";
import { minFreeMiB, type Pool } from "./pool.ts";
import { memberTable, upgradeTable } from "./table.ts";

/** What is wanted of one server: in, out, or out of traffic. */
export function membershipOf(pool: Pool, name: string, after: readonly Transition[]): Transition {
  const { config } = pool;
  const wanted = config.servers[name] ?? "out";
  return pool.transition(name, "member", {
    hosts: [...pool.balancers, ...(wanted === "in" ? [name] : [])],
    keepers: keepersOf<pulumi.Input<string>>({
      wanted,
      ...pool.site.machines([...pool.balancers, ...(wanted === "in" ? [name] : [])]),
    }),
    table: memberTable(pool.limits, name, wanted),
    wanted: {
      known: [name],
      ...(wanted === "in" ? { enters: name, release: config.release } : {}),
    },
    verdict: {
      bad: `${name} did not do well, and no balancer sends it a request`,
      cure: `mend it and start again: npx pulumi up --replace '**::${pool.name}-${name}-member-id', or leave it out: npx pulumi config set --path changeover:appPools.${pool.name}.servers.${name} out`,
    },
    after: after.map(({ finished }) => finished),
  });
}

/** Server after server: a round ends at the first one that does not do well with its new packages. */
export function upgradesOf(
  pool: Pool,
  cache: CacheGoal | undefined,
  after: readonly Transition[],
): Transition[] {
  const { systemUpgrade: round } = pool.config;
  const servers = round === undefined ? [] : deployed(pool.config);
  return servers.reduce<Transition[]>(
    (done, name) => [
      ...done,
      upgradeOf(pool, cache, { name, round: round ?? "" }, [...after, ...done.slice(-1)]),
    ],
    [],
  );
}

function upgradeOf(
  pool: Pool,
  cache: CacheGoal | undefined,
  { name, round }: { readonly name: string; readonly round: string },
  after: readonly Transition[],
): Transition {
  const { config } = pool;
  const { host } = pool.site.member(name);
  const node = cache?.nodes.includes(name) ? cache : undefined;
  const clients = (node?.clients ?? []).filter((client) => !pool.site.isLost(client));
  return pool.transition(`upgrade-${name}`, "packages", {
    hosts: [...pool.balancers, name],
    witnesses: clients,
    sets: { server: [name], clients },
    keepers: keepersOf<pulumi.Input<string>>({ round, machine: host.identity }),
    table: upgradeTable(pool.limits, name, node?.name),
    settings: {
      "memcached/require-other-nodes": () =>
        node ? host.address.apply((address) => [placeOf(address, node.port)]) : [],
    },
    wanted: {
      known: [name],
      taken: config.servers[name] === "in" ? 1 : 0,
      minHealthy: pool.limits.minHealthy,
      minFreeMiB,
    },
    verdict: {
      bad: `${name} did not do well with its new packages; the servers after it keep theirs`,
      cure: `mend it and go on: npx pulumi up --replace '**::${pool.name}-upgrade-${name}-packages-id', or take it out first: npx pulumi config set --path changeover:appPools.${pool.name}.servers.${name} out`,
    },
    after: after.map(({ finished }) => finished),
  });
}
