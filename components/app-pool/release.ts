import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { fingerprintOf } from "../../transition/secrets.ts";
import { rootOn } from "../../transition/start.ts";
import { fileCopy } from "../../transition/step.ts";
import { keepersOf } from "../../transition/table.ts";
import type { Transition } from "../../transition/transition.ts";
import type { PairDatabase } from "../pair/goal.ts";
import { defaultPorts } from "./config.ts";
import { groupsOf } from "./goal.ts";
import { minFreeMiB, type Pool } from "./pool.ts";
import { releaseStory } from "./stories.ts";
import { releaseTable, singleReleaseTable } from "./tables/release.ts";

/** One release on all servers that are not out. */
export function releaseOf(
  pool: Pool,
  after: readonly Transition[],
  given: { readonly database?: PairDatabase; readonly volumes?: readonly pulumi.Resource[] } = {},
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
    story: releaseStory(pool.name, archive),
    // Membership is not a keeper: a new server gets its own steps, and the other servers get none.
    keepers: keepersOf<pulumi.Input<string>>({
      revision: config.release,
      sha256,
      // Another port is rolled like another release: each server listens there once it was drained and started anew.
      port: config.appPort === defaultPorts.appPort ? undefined : String(config.appPort),
      // So is another password of the database, which a process reads when it starts.
      password: given.database && fingerprintOf(given.database.password),
    }),
    perMachine: true,
    table: config.edge === "apache" ? singleReleaseTable(pool.limits) : releaseTable(pool.limits, groups),
    sets: {
      servers,
      ...Object.fromEntries(groups.map((group, index) => [`group-${String(index + 1)}`, group])),
    },
    settings: {
      "app/stage-release": (host) =>
        pulumi.output(sources.get(host)?.to ?? archive).apply((source) => [source]),
      "app/run-release": () => [String(config.readySeconds)],
      "app/run-previous-release": () => [String(config.readySeconds)],
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
      bad: `release ${config.release} of ${pool.name} is bad; every server that had it runs its previous release again`,
      cure: `to keep the previous release: npx pulumi config set --path changeover:appPools.${pool.name}.release <previous release>; to try ${config.release} again: npx pulumi up --replace '**::${pool.name}-release-roll-id'`,
    },
    after: [
      ...after.map(({ finished }) => finished),
      ...(given.volumes ?? []),
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
