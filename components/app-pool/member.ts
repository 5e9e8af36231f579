import type * as pulumi from "@pulumi/pulumi";
import { keepersOf } from "../../transition/table.ts";
import type { Transition } from "../../transition/transition.ts";
import { type CacheGoal, placeOf } from "../cache/goal.ts";
import { deployed } from "./goal.ts";
import { minFreeMiB, type Pool } from "./pool.ts";
import { memberStory, packagesStory } from "./stories.ts";
import { memberTable, upgradeTable } from "./tables/member.ts";

/** The wanted state of one server: in, maintenance or out. */
export function membershipOf(pool: Pool, name: string, after: readonly Transition[]): Transition {
  const { config } = pool;
  const wanted = config.servers[name] ?? "out";
  return pool.transition(name, "member", {
    hosts: [...pool.balancers, ...(wanted === "in" ? [name] : [])],
    story: memberStory(pool.name, name, wanted),
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
      bad: `${name} failed its entry, and no balancer sends ${name} a request`,
      cure: `repair ${name} and start again: npx pulumi up --replace '**::${pool.name}-${name}-member-id', or leave it out: npx pulumi config set --path changeover:appPools.${pool.name}.servers.${name} out`,
    },
    after: after.map(({ finished }) => finished),
  });
}

/** A round of upgrades, server by server. The round ends at the first server that fails with its new packages. */
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
    story: packagesStory,
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
      bad: `${name} failed with its new packages; the servers after ${name} keep their old ones`,
      cure: `repair ${name} and go on: npx pulumi up --replace '**::${pool.name}-upgrade-${name}-packages-id', or take it out first: npx pulumi config set --path changeover:appPools.${pool.name}.servers.${name} out`,
    },
    after: after.map(({ finished }) => finished),
  });
}
