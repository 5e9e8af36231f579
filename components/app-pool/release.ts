import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { rootOn } from "../../transition/start.ts";
import { fileCopy } from "../../transition/step.ts";
import { keepersOf } from "../../transition/table.ts";
import type { Transition } from "../../transition/transition.ts";
import { groupsOf } from "./goal.ts";
import { minFreeMiB, type Pool } from "./pool.ts";
import { releaseTable, singleReleaseTable } from "./table.ts";

/** One release on all servers that get releases. */
export function releaseOf(
  pool: Pool,
  after: readonly Transition[],
  used: readonly pulumi.Resource[] = [],
): Transition {
  const { config } = pool;
  const groups = groupsOf(pool.config);
  const servers = groups.flat();
  const { archive = "", sha256 = "" } = config.releases[config.release] ?? {};
  const sources = new Map(
    servers.map((name) => [name, /^https?:/.test(archive) ? undefined : upload(pool, name, archive, sha256)]),
  );
  return pool.transition("release", "roll", {
    hosts: [...pool.balancers, ...servers],
    // Who is in the pool is no part of it: a server more gets its own steps, and the others none.
    keepers: keepersOf<pulumi.Input<string>>({
      revision: config.release,
      sha256,
    }),
    perMachine: true,
    table: config.edge === "apache" ? singleReleaseTable(pool.limits) : releaseTable(pool.limits, groups),
    sets: {
      servers,
      ...Object.fromEntries(groups.map((group, index) => [`group-${String(index + 1)}`, group])),
    },
    settings: {
      "app/stage": (host) => pulumi.output(sources.get(host)?.to ?? archive).apply((source) => [source]),
      "app/release": () => [String(config.readySeconds)],
      "app/back": () => [String(config.readySeconds)],
    },
    wanted: {
      known: servers,
      taken: Math.max(
        0,
        ...groups.map((group) => group.filter((name) => config.servers[name] === "in").length),
      ),
      minHealthy: pool.limits.minHealthy,
      minFreeMiB,
    },
    verdict: {
      bad: `release ${config.release} of ${pool.name} is bad; every server that had it runs again what it ran before`,
      cure: `to go on with what runs, say so: npx pulumi config set --path changeover:appPools.${pool.name}.release <the release before>; to try this one again: npx pulumi up --replace '**::${pool.name}-release-roll-id'`,
    },
    after: [
      ...after.map(({ finished }) => finished),
      ...used,
      ...[...sources.values()].flatMap((copy) => (copy ? [copy.resource] : [])),
    ],
  });
}

function upload(pool: Pool, name: string, archive: string, sha256: string) {
  const { host, scripts } = pool.site.member(name);
  const to = host.ssh.apply((ssh) => `${rootOn(ssh)}/${sha256}.tar.gz`);
  const resource = fileCopy(
    `${pool.name}-archive-${name}`,
    host,
    { path: resolve(import.meta.dirname, "..", "..", archive), sha256, to },
    { parent: pool.parent, dependsOn: [...host.ready, ...(scripts ? [scripts] : [])] },
  );
  return { to, resource };
}
