import * as pulumi from "@pulumi/pulumi";
import { fingerprintOf } from "../../transition/secrets.ts";
import { keepersOf, prefixed, type Table } from "../../transition/table.ts";
import type { Transition } from "../../transition/transition.ts";
import type { PairDatabase } from "../pair/goal.ts";
import { mountsAt } from "../shared-volume/goal.ts";
import { haproxyConfig } from "./haproxy-config.ts";
import type { Pool } from "./pool.ts";
import { balancersStory, hostStory } from "./stories.ts";
import { balancerHostTable, balancersTable, serverHostTable } from "./tables/host.ts";

/** A balancer gets HAProxy, which serves nothing yet. */
export const balancerHost = (pool: Pool, name: string, after: readonly pulumi.Resource[]): Transition =>
  host(pool, name, { table: balancerHostTable, conf: {}, after });

/** A host is made ready for its part; running services stay as they are. */
function host(
  pool: Pool,
  name: string,
  part: {
    readonly table: Table;
    readonly conf: Record<string, pulumi.Input<string>>;
    readonly secrets?: Record<string, pulumi.Output<string>>;
    readonly after: readonly pulumi.Resource[];
  },
): Transition {
  const { host: machine } = pool.site.member(name);
  return pool.transition(`host-${name}`, "provision", {
    hosts: [name],
    story: hostStory,
    keepers: keepersOf<pulumi.Input<string>>({ machine: machine.identity, ...part.conf }),
    table: part.table,
    secrets: part.secrets,
    after: [...machine.ready, ...part.after],
  });
}

/** A server gets the application's user, folders and settings. */
export function serverHost(
  pool: Pool,
  name: string,
  given: { readonly database?: PairDatabase; readonly after: readonly pulumi.Resource[] },
): Transition {
  const { config } = pool;
  const { database, after } = given;
  const { host: machine } = pool.site.member(name);
  const conf: Record<string, pulumi.Input<string>> = {
    address: machine.address,
    port: String(config.appPort),
    host: config.host,
    balancers: pulumi
      .all(config.balancers.map((balancer) => pool.site.member(balancer).host.address))
      .apply((addresses) => addresses.join(" ")),
    allowed: config.allowed.join(" "),
    writes: writesOf(pool, name).join(" "),
    ready: config.ready.path,
    status: String(config.ready.status),
    owner: config.owner,
    owner_uid: String(config.ownerUid),
    keep: String(config.keepReleases),
    links: Object.entries(config.links)
      .map(([folder, shared]) => `${folder}=${shared}`)
      .sort()
      .join(" "),
    ...(config.cache === undefined ? {} : { "env.CACHE": `/etc/changeover/caches/${config.cache}.ring` }),
    ...(database
      ? {
          "env.DATABASE_HOST": database.address,
          "env.DATABASE_PORT": String(database.port),
          "env.DATABASE_NAME": database.name,
          "env.DATABASE_USER": database.name,
        }
      : {}),
    ...Object.fromEntries(Object.entries(config.settings).map(([key, value]) => [`env.${key}`, value])),
  };
  const secret = database && pulumi.interpolate`DATABASE_PASSWORD=${database.password}`;
  return host(pool, name, {
    table: serverHostTable({ pool: pool.name, software: config.software }),
    conf: {
      ...prefixed("conf.", conf),
      ...(database ? { password: fingerprintOf(database.password) } : {}),
    },
    secrets: secret && { application: secret },
    after,
  });
}

/** Where volumes are mounted outside of the pool's own shared folders. */
const writesOf = (pool: Pool, server: string): string[] =>
  mountsAt(pool.site.entries("sharedVolumes"), server).filter(
    (path) => !path.startsWith(`/deploy/${pool.name}/shared/`),
  );

/** The haproxy.cfg of each balancer. A new address of a host is a new text, since HAProxy must reach the host there. */
export function configureBalancers(pool: Pool, hosts: readonly Transition[]): Transition {
  const { config } = pool;
  const servers = Object.keys(config.servers).sort();
  const addresses = pulumi.all(servers.map((name) => pool.site.member(name).host.address));
  const templates = pool.balancers.map((balancer): [string, pulumi.Output<string>] => [
    `template.${balancer}`,
    pulumi.all([addresses, bindsOf(pool, balancer)]).apply(([serverAddresses, binds]) =>
      haproxyConfig({
        pool: pool.name,
        binds,
        servers: servers.map((name, index) => ({
          name,
          address: serverAddresses[index] ?? "",
          port: config.appPort,
        })),
        ready: config.ready,
        host: config.host,
      }),
    ),
  ]);
  return pool.transition("balancers", "configure", {
    hosts: pool.balancers,
    story: balancersStory,
    keepers: keepersOf<pulumi.Input<string>>({
      ...Object.fromEntries(templates),
      ...pool.site.machines(pool.balancers),
    }),
    table: balancersTable(pool.name, pool.balancers),
    after: hosts.map(({ finished }) => finished),
  });
}

/** Addresses that a balancer serves: its own one first, then those that are not released. */
export function bindsOf(pool: Pool, balancer: string): pulumi.Output<string[]> {
  const { port, addresses } = pool.config;
  const more = Object.keys(addresses)
    .filter((address) => addresses[address]?.balancer === balancer && !addresses[address].released)
    .sort();
  return pool.site
    .member(balancer)
    .host.address.apply((own) => [own, ...more].map((address) => `${address}:${String(port)}`));
}
