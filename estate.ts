import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { StackConfig } from "./config.ts";
import type { Platform, SshTarget } from "./platforms/platform.ts";
import { sshConfigOf } from "./platforms/ssh-config.ts";
import { AbsentHosts } from "./transition/absent.ts";
import { AppPool, type PoolDatabase } from "./components/app-pool/component.ts";
import { cacheGoal } from "./components/cache/goal.ts";
import { CacheRing } from "./components/cache/component.ts";
import { PrimaryStandbyPair } from "./components/pair/component.ts";
import { readScripts } from "./transition/scripts.ts";
import { SharedVolumes } from "./components/shared-volume/shared-volumes.ts";
import { ranIn } from "./components/staged-upgrade/soak.ts";
import { StagedUpgrade, type StagedUpgradeArgs } from "./components/staged-upgrade/component.ts";
import { scriptsCopy } from "./transition/step.ts";
import type { Member } from "./transition/transition.ts";

/**
 * Everything that one stack operates, and what it exports about it.
 *
 * @param last what it exported at its last update.
 */
export function declareEstate(config: StackConfig, platform: Platform, last?: unknown) {
  // Hosts record the stack that operates them; another one is refused.
  const stack = new random.RandomId("stack", { byteLength: 8 });
  const members = membersOf(config, platform);
  const leaving = [...members.values()].filter(({ host }) => config.absent.includes(host.name));
  const absent = leaving.length === 0 ? undefined : new AbsentHosts(leaving, stack.hex);
  const pairs = Object.entries(config.pairs).map(([name, pair]): [string, PrimaryStandbyPair] => [
    name,
    new PrimaryStandbyPair(name, {
      config: pair,
      unreachable: config.unreachable,
      suspect: config.suspect,
      hosts: members,
      platform,
      stack: stack.hex,
      adopt: config.adopt,
      after: absent?.looked,
    }),
  ]);
  const common = { hosts: members, stack: stack.hex, adopt: config.adopt };
  const { caches, volumes, pools } = declareShared(config, common, new Map(pairs), absent?.looked ?? []);
  const upgrades = declareUpgrades(config, { ...common, after: absent?.looked }, last);
  const retired = absent?.retire([
    ...pairs.map(([, { finished }]) => finished),
    ...[...pools, ...caches, ...upgrades].flatMap(([, { finished }]) => finished),
    ...volumes.flatMap(({ finished }) => finished),
  ]);
  const targets = pulumi.all(Object.fromEntries([...members].map(([name, { host }]) => [name, host.ssh])));
  return {
    stackId: stack.hex,
    machines: platform.outputs,
    /** Aliases for SSH, one a host (row 002-114). */
    sshConfig: targets.apply((all) => sshConfigOf(new Map(Object.entries(all) as [string, SshTarget][]))),
    serviceAddresses: byName(pairs, ({ address }) => address),
    statuses: byName(pairs, ({ statuses }) => statuses),
    /** Whether the goal leaves anything out, in words. */
    outcome: byName(pairs, ({ outcome }) => outcome),
    ownerPasswords: byName(pairs, ({ ownerPassword }) => ownerPassword),
    /** What `npm run verify` compares the hosts with. */
    expected: pulumi.output(
      pairs.map(([component, { transitions, statuses, outcome, address }]) => ({
        ...{ component, transitions, statuses, outcome },
        address,
      })),
    ),
    /** The same of all that is no pair: transitions that are done, host by host, and what pools serve by. */
    marks: pulumi.output(
      [...[...pools, ...upgrades].map(([, one]) => one), ...volumes].flatMap(({ marks }) => marks),
    ),
    expectedPools: pools.map(([, { expected }]) => expected),
    /** What to put into DNS, site by site. */
    dns: byName(pools, ({ dns }) => dns),
    addresses: byName(pools, ({ addresses }) => addresses),
    caches: byName(caches, ({ expected }) => expected),
    /** Which versions ran, since when; a stack that comes later asks for it. */
    upgrades: byName(upgrades, ({ output }) => output),
    targets: pulumi.output(
      Object.fromEntries(
        [...members].map(([name, { host, release, unreachable }]) => [
          name,
          { ssh: host.ssh, release, unreachable, absent: retired?.get(name) },
        ]),
      ),
    ),
  };
}

/** What every component is told of the estate. */
interface Common {
  readonly hosts: ReadonlyMap<string, Member>;
  readonly stack: pulumi.Output<string>;
  readonly adopt?: string;
}

/** What hosts share, and the pools that use it; a pool comes after what it needs. */
function declareShared(
  config: StackConfig,
  common: Common,
  pairs: ReadonlyMap<string, PrimaryStandbyPair>,
  after: readonly pulumi.Resource[],
) {
  const caches = Object.entries(config.caches).map(([name, cache]): [string, CacheRing] => [
    name,
    new CacheRing(name, { config: cache, ...common, after }),
  ]);
  const volumes = new SharedVolumes(config.sharedVolumes, { ...common, after });
  const shared = caches.flatMap(([, { finished }]) => finished);
  const pools = Object.entries(config.appPools).map(([name, pool]): [string, AppPool] => {
    const database = databaseOf(pool.database, config, pairs);
    const ready = [...after, ...shared, ...(database ? [database.ready] : [])];
    // A server leaves before its mount is touched, and gets a release after that.
    const beforeRelease = (left: ReadonlyMap<string, readonly pulumi.Resource[]>) =>
      volumes.usedBy(Object.keys(pool.servers), left);
    const { cache: sessions = "" } = pool;
    const ring = config.caches[sessions];
    const cache = ring && cacheGoal(sessions, ring);
    return [
      name,
      new AppPool(name, { config: pool, ...common, database, cache, after: ready, beforeRelease }),
    ];
  });
  return { caches, volumes: volumes.all(), pools };
}

const declareUpgrades = (
  config: StackConfig,
  common: Omit<StagedUpgradeArgs, "config" | "ran">,
  last: unknown,
): [string, StagedUpgrade][] =>
  Object.entries(config.stagedUpgrades).map(([name, upgrade]) => [
    name,
    new StagedUpgrade(name, { config: upgrade, ...common, ran: ranIn(last, name) }),
  ]);

/** Where the application of a pool finds its database, and as whom. */
function databaseOf(
  name: string | undefined,
  config: StackConfig,
  pairs: ReadonlyMap<string, PrimaryStandbyPair>,
): PoolDatabase | undefined {
  const [pair, settings] = [pairs.get(name ?? ""), config.pairs[name ?? ""]];
  if (!pair || !settings) return undefined;
  const { address, ownerPassword: password, finished: ready } = pair;
  return { address, password, ready, port: settings.port, name: settings.database };
}

function membersOf(config: StackConfig, platform: Platform): ReadonlyMap<string, Member> {
  const scripts = readScripts();
  return new Map(
    [...platform.hosts].map(([name, host]) => {
      const suspect = config.suspect.includes(name);
      const unreachable = suspect || config.unreachable.includes(name);
      const copy = unreachable ? undefined : scriptsCopy(host, scripts);
      return [name, { host, unreachable, suspect, release: scripts.release, scripts: copy }];
    }),
  );
}

function byName<T, V>(entries: readonly (readonly [string, T])[], value: (of: T) => V): Record<string, V> {
  return Object.fromEntries(entries.map(([name, of]) => [name, value(of)]));
}
