import * as pulumi from "@pulumi/pulumi";
import { keepersOf } from "../../transition/table.ts";
import type { Transition } from "../../transition/transition.ts";
import { deployed } from "./goal.ts";
import { bindsOf } from "./hosts.ts";
import type { Pool } from "./pool.ts";
import { addressTable, edgeTable, maintenanceTable } from "./table.ts";

/** Who serves the site's addresses: HAProxy or Apache. */
export function edgeOf(pool: Pool, after: readonly Transition[]): Transition {
  const { config } = pool;
  const kept = config.apache === "kept";
  const server =
    kept && config.apacheServer !== undefined ? pool.site.member(config.apacheServer) : undefined;
  const servers = kept ? deployed(pool.config) : [];
  return pool.transition("edge", "serve", {
    hosts: [...pool.balancers, ...servers],
    sets: { servers },
    keepers: keepersOf<pulumi.Input<string>>({
      edge: config.edge,
      apache: config.apache === "none" ? undefined : config.apache,
      upstream: server && pulumi.interpolate`${server.host.address}:${String(config.appPort)}`,
      ...(kept
        ? Object.fromEntries(
            pool.balancers.map((name) => [
              `binds.${name}`,
              bindsOf(pool, name).apply((all) => all.join(" ")),
            ]),
          )
        : {}),
      ...pool.site.machines(pool.balancers),
    }),
    table: edgeTable({ pool: pool.name, host: config.host, edge: config.edge, apache: config.apache }),
    after: after.map(({ finished }) => finished),
  });
}

/** Who still came by an address is asked while it is served. */
export function releasedAddresses(pool: Pool, after: readonly Transition[]): Transition[] {
  const { port, addresses } = pool.config;
  return Object.entries(addresses)
    .filter(([, { balancer, released }]) => released && pool.balancers.includes(balancer))
    .map(([address, { balancer, deadline }]) =>
      pool.transition(`address-${address.replaceAll(".", "-")}`, "release", {
        hosts: [balancer],
        sets: { balancer: [balancer] },
        keepers: keepersOf<pulumi.Input<string>>({ address, deadline, ...pool.site.machines([balancer]) }),
        table: addressTable(pool.name, { bind: `${address}:${String(port)}`, deadline }),
        after: after.map(({ finished }) => finished),
      }),
    );
}

/**
 * A cut-over, and one that is taken back, ends with the page, which goes when servers have come in: so each turn of
 * the edge is another goal here too. While Apache serves there is nothing to do but to know that.
 */
export function maintenanceOf(pool: Pool, after: readonly Transition[]): Transition {
  const { edge, apache, maintenance } = pool.config;
  return pool.transition("maintenance", "set", {
    hosts: pool.balancers,
    keepers: keepersOf<pulumi.Input<string>>({
      maintenance: maintenance ? "on" : "off",
      edge: apache === "none" ? undefined : edge,
      ...pool.site.machines(pool.balancers),
    }),
    table: edge === "apache" ? [] : maintenanceTable(pool.name),
    after: after.map(({ finished }) => finished),
  });
}
