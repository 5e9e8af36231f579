import * as pulumi from "@pulumi/pulumi";
import type { Operated, Site } from "../../transition/site.ts";
import type { Transition } from "../../transition/transition.ts";
import { type CacheGoal, cacheOf } from "../cache/goal.ts";
import type { PairDatabase } from "../pair/goal.ts";
import { mountedOn } from "../shared-volume/goal.ts";
import type { Component } from "../system.ts";
import type { AppPool as PoolConfig } from "./config.ts";
import { edgeOf, maintenanceOf, releasedAddresses } from "./edge.ts";
import { addressLines, deployed, serving, zoneLines } from "./goal.ts";
import { balancerHost, configureBalancers, serverHost } from "./hosts.ts";
import { membershipOf, upgradesOf } from "./member.ts";
import { Pool } from "./pool.ts";
import { releaseOf } from "./release.ts";
import type { PoolExpected } from "./verify.ts";

/**
 * Application servers behind HAProxy. Each independent goal is a transition of its own: a host, the balancers'
 * configuration, the release, the membership of each server, the site's maintenance. So a change plans its own steps and
 * no others.
 */
export class AppPool extends pulumi.ComponentResource {
  readonly operated: Operated<PoolExpected>;
  readonly #pool: Pool;
  /** The cache that keeps the application's sessions. */
  readonly #cache: CacheGoal | undefined;
  readonly #database: PairDatabase | undefined;

  constructor(name: string, config: PoolConfig, site: Site, opts?: pulumi.ComponentResourceOptions) {
    super("changeover:index:AppPool", name, { release: config.release }, opts);
    const pool = new Pool(name, config, site, this);
    this.#pool = pool;
    this.#cache = cacheOf(site.entries("caches"), config.cache);
    const { database, after } = this.#needs();
    this.#database = database;

    const balancerHosts = pool.balancers.map((host) => balancerHost(pool, host, after));
    const configured = configureBalancers(pool, [
      ...balancerHosts,
      ...releasedAddresses(pool, balancerHosts),
    ]);
    const serverHosts = new Map(
      deployed(config).map((host) => [host, serverHost(pool, host, { database, after })] as const),
    );
    const transitions =
      config.edge === "apache"
        ? this.#behindApache(configured, serverHosts)
        : this.#behindHaproxy(configured, serverHosts);
    this.operated = this.#operated(transitions.map(({ finished }) => finished));
    this.registerOutputs();
  }

  /** What the application needs before any step of the pool runs: the machines, caches, its database. */
  #needs(): { readonly database?: PairDatabase; readonly after: readonly pulumi.Resource[] } {
    const { config, site } = this.#pool;
    const caches = Object.keys(site.entries("caches")).flatMap((name) => site.use("caches", name).finished);
    const database =
      config.database === undefined
        ? undefined
        : (site.use("pairs", config.database).provides as PairDatabase);
    return { database, after: [...site.after, ...caches, ...(database ? [database.ready] : [])] };
  }

  #operated(finished: readonly pulumi.Resource[]): Operated<PoolExpected> {
    const { name, config, site, transitions } = this.#pool;
    const hosts = [...new Set([...config.balancers, ...Object.keys(config.servers)])];
    return {
      hosts,
      marks: transitions.flatMap(({ marks }) => marks),
      finished,
      outcome: site.outcome(hosts, "no step runs there, and its state stays as it is"),
      expected: { pool: name, balancers: config.balancers, servers: config.servers, edge: config.edge },
      outputs: {
        dns: pulumi
          .all(config.balancers.map((balancer) => site.member(balancer).host.address))
          .apply((addresses) => zoneLines(config.host, addresses)),
        addresses: addressLines(config.addresses),
      },
    };
  }

  /** A server leaves traffic before the release, and enters traffic after it. */
  #behindHaproxy(configured: Transition, serverHosts: ReadonlyMap<string, Transition>): Transition[] {
    const pool = this.#pool;
    const { config } = pool;
    const ready = [...serverHosts.values()];
    const edge = edgeOf(pool, [configured, ...(config.apache === "kept" ? ready : [])]);
    const closing = config.maintenance ? [maintenanceOf(pool, [edge])] : [];
    const leaving = new Map(
      Object.keys(config.servers)
        .filter((name) => config.servers[name] !== "in")
        .sort()
        .map((name) => [name, membershipOf(pool, name, [edge])] as const),
    );
    const volumes = this.#volumes(serverHosts, leaving);
    const release = releaseOf(pool, [...ready, edge, ...closing, ...leaving.values()], {
      database: this.#database,
      volumes,
    });
    const entering = serving(config).map((name) => membershipOf(pool, name, [release]));
    const opening = config.maintenance ? [] : [maintenanceOf(pool, [release, ...entering])];
    const upgrades = upgradesOf(pool, this.#cache, [release, ...entering, ...closing, ...opening]);
    return [...leaving.values(), ...entering, ...closing, ...opening, release, ...upgrades];
  }

  /** Apache passes requests to one server; no server is in or out of traffic. */
  #behindApache(configured: Transition, serverHosts: ReadonlyMap<string, Transition>): Transition[] {
    const pool = this.#pool;
    const release = releaseOf(pool, [configured, ...serverHosts.values()], {
      database: this.#database,
      volumes: this.#volumes(serverHosts),
    });
    const edge = edgeOf(pool, [release]);
    return [release, edge, maintenanceOf(pool, [edge])];
  }

  /** Volumes that servers mount. A server's mount follows the steps that make the server ready or take it out of traffic. */
  #volumes(...steps: readonly ReadonlyMap<string, Transition>[]): pulumi.Resource[] {
    const { config, site } = this.#pool;
    const servers = Object.keys(config.servers);
    const beforeMount = new Map(
      servers.map((name) => [name, steps.flatMap((byServer) => byServer.get(name)?.finished ?? [])]),
    );
    return mountedOn(site.entries("sharedVolumes"), servers).flatMap(
      (name) => site.use("sharedVolumes", name, { beforeMount }).finished,
    );
  }
}

/** How the estate declares a pool. */
export const component: Component<PoolConfig, PoolExpected> = {
  declare: (name, config, site) => new AppPool(name, config, site).operated,
};
