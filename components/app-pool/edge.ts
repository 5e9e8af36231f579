import * as pulumi from "@pulumi/pulumi";
import { keepersOf } from "../../transition/table.ts";
import type { Transition } from "../../transition/transition.ts";
import { deployed } from "./goal.ts";
import { bindsOf } from "./hosts.ts";
import type { Pool } from "./pool.ts";
import { addressStory, edgeStory, maintenanceStory } from "./stories.ts";
import { addressTable, edgeTable, maintenanceTable } from "./tables/edge.ts";

/** Which program serves the site's addresses: HAProxy or Apache. */
export function edgeOf(pool: Pool, after: readonly Transition[]): Transition {
  const { config } = pool;
  const kept = config.apache === "kept";
  const server =
    kept && config.apacheServer !== undefined ? pool.site.member(config.apacheServer) : undefined;
  const servers = kept ? deployed(pool.config) : [];
  return pool.transition("edge", "serve", {
    hosts: [...pool.balancers, ...servers],
    story: edgeStory(pool.name, config.edge, config.apache),
    sets: { servers },
    keepers: keepersOf<pulumi.Input<string>>({
      edge: config.edge,
      apache: config.apache === "none" ? undefined : config.apache,
      upstream: server && pulumi.interpolate`${server.host.address}:${String(config.appPort)}`,
      ...(kept
        ? Object.fromEntries(
            pool.balancers.map((name) => [
              `binds.${name}`,
              bindsOf(pool, name).apply((binds) => binds.join(" ")),
            ]),
          )
        : {}),
      ...pool.site.machines(pool.balancers),
    }),
    table: edgeTable({ pool: pool.name, host: config.host, edge: config.edge, apache: config.apache }),
    after: after.map(({ finished }) => finished),
  });
}

/** Addresses to release. While a balancer still serves one, its log is asked for clients. */
export function releasedAddresses(pool: Pool, after: readonly Transition[]): Transition[] {
  const { port, addresses } = pool.config;
  return Object.entries(addresses)
    .filter(([, { balancer, released }]) => released && pool.balancers.includes(balancer))
    .map(([address, { balancer, deadline }]) =>
      pool.transition(`address-${address.replaceAll(".", "-")}`, "release", {
        hosts: [balancer],
        story: addressStory,
        sets: { balancer: [balancer] },
        keepers: keepersOf<pulumi.Input<string>>({ address, deadline, ...pool.site.machines([balancer]) }),
        table: addressTable(pool.name, { bind: `${address}:${String(port)}`, deadline }),
        after: after.map(({ finished }) => finished),
      }),
    );
}

/**
 * Whether the site is in maintenance. A cut-over leaves the maintenance page on until servers are in traffic, so the
 * edge is part of this goal too. While Apache serves, the table is empty and only the goal is recorded.
 */
export function maintenanceOf(pool: Pool, after: readonly Transition[]): Transition {
  const { edge, apache, maintenance } = pool.config;
  return pool.transition("maintenance", "set", {
    hosts: pool.balancers,
    story: maintenanceStory(pool.name, maintenance),
    keepers: keepersOf<pulumi.Input<string>>({
      maintenance: maintenance ? "on" : "off",
      edge: apache === "none" ? undefined : edge,
      ...pool.site.machines(pool.balancers),
    }),
    table: edge === "apache" ? [] : maintenanceTable(pool.name, maintenance),
    after: after.map(({ finished }) => finished),
  });
}
