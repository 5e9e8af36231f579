import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { AppPool as PoolConfig } from "../../config.ts";
import type { PoolWanted } from "./decide.ts";
import { addressLines, deployed, groupsOf, type PoolGoal, serving, zoneLines } from "./goal.ts";
import {
  addressTable,
  balancerHostTable,
  balancersTable,
  edgeTable,
  maintenanceTable,
  memberTable,
  type PoolLimits,
  releaseTable,
  serverHostTable,
  singleReleaseTable,
  upgradeTable,
} from "./table.ts";
import type { PoolExpected } from "./verify.ts";
import { type CacheGoal, placeOf } from "../cache/goal.ts";
import { haproxyConfig } from "./haproxy-config.ts";
import type { Mark } from "../../transition/marks.ts";
import { preflightOf } from "../../transition/preflight.ts";
import { rootOn } from "../../transition/start.ts";
import { fileCopy } from "../../transition/step.ts";
import { keepersOf, prefixed, type Table } from "../../transition/table.ts";
import { type Member, type OperatorCommand, Transition, type Verdict } from "../../transition/transition.ts";

/** The database that the application of a pool uses, and who it is there. */
export interface PoolDatabase {
  readonly address: pulumi.Output<string>;
  readonly port: number;
  readonly name: string;
  readonly password: pulumi.Output<string>;
  readonly ready: pulumi.Resource;
}

export interface AppPoolArgs {
  readonly config: PoolConfig;
  /** All hosts of the estate by name; the pool's are among them. */
  readonly hosts: ReadonlyMap<string, Member>;
  readonly stack: pulumi.Output<string>;
  readonly adopt?: string;
  readonly database?: PoolDatabase;
  /** The cache that the application's sessions are in. */
  readonly cache?: CacheGoal;
  /** What must be finished before anything is touched. */
  readonly after?: readonly pulumi.Resource[];
  /**
   * Declares what servers use (shared volumes), told what each server that leaves depends on: it is touched when they
   * have left, and is there before a release or a server that comes in.
   */
  readonly beforeRelease?: (
    left: ReadonlyMap<string, readonly pulumi.Resource[]>,
  ) => readonly pulumi.Resource[];
}

const run = join(import.meta.dirname, "..", "..", "transition", "run");
const minFreeMiB = 256;

/**
 * Application servers behind HAProxy. Each independent goal (a host made ready, the balancers' configuration, the
 * release, each server's membership, the site's maintenance) is a transition of its own, so that a change plans its
 * own steps and no others.
 */
export class AppPool extends pulumi.ComponentResource {
  /** Depend on it to come after all of the pool's transitions. */
  readonly finished: readonly pulumi.Resource[];
  /** What is done on which host. */
  readonly marks: pulumi.Input<Mark>[] = [];
  readonly expected: PoolExpected;
  /** Lines of a zone for the site, and what a name of its own that points there does better. */
  readonly dns: pulumi.Output<string[]>;
  /** What is left to do for the site's other addresses. */
  readonly addresses: readonly string[];
  readonly #args: AppPoolArgs;
  readonly #pool: string;
  readonly #goal: PoolGoal;
  readonly #limits: PoolLimits;
  /** Balancers that steps run on. */
  readonly #balancers: readonly string[];

  constructor(pool: string, args: AppPoolArgs, opts?: pulumi.ComponentResourceOptions) {
    const { config } = args;
    super("changeover:index:AppPool", pool, { release: config.release }, opts);
    this.#pool = pool;
    this.#args = args;
    this.#goal = config;
    this.#limits = limitsOf(pool, config);
    this.#balancers = config.balancers.filter((name) => !this.#member(name).unreachable);

    const balancerHosts = this.#balancers.map((name) => this.#host(name, balancerHostTable, {}));
    const configured = this.#configure([...balancerHosts, ...this.#releasedAddresses(balancerHosts)]);
    const serverHosts = new Map(deployed(this.#goal).map((name) => [name, this.#serverHost(name)] as const));
    this.finished = (
      config.edge === "apache"
        ? this.#behindApache(configured, serverHosts)
        : this.#behindHaproxy(configured, serverHosts)
    ).map(({ finished }) => finished);
    this.dns = pulumi
      .all(config.balancers.map((name) => this.#member(name).host.address))
      .apply((addresses) => zoneLines(config.host, addresses));
    this.addresses = addressLines(config.addresses);
    this.expected = { pool, balancers: this.#balancers, servers: config.servers, edge: config.edge };
    this.registerOutputs();
  }

  /** Every server that leaves does so before a release, and one that comes in comes after it. */
  #behindHaproxy(configured: Transition, serverHosts: ReadonlyMap<string, Transition>): Transition[] {
    const { config } = this.#args;
    const ready = [...serverHosts.values()];
    const edge = this.#edge([configured, ...(config.apache === "kept" ? ready : [])]);
    const goes = config.maintenance ? [this.#maintenance([edge])] : [];
    const leaves = new Map(
      Object.keys(config.servers)
        .filter((name) => config.servers[name] !== "in")
        .sort()
        .map((name) => [name, this.#membership(name, [edge])] as const),
    );
    const used = this.#used(serverHosts, leaves);
    const release = this.#release([...ready, edge, ...goes, ...leaves.values()], used);
    const enters = serving(this.#goal).map((name) => this.#membership(name, [release]));
    const comes = config.maintenance ? [] : [this.#maintenance([release, ...enters])];
    const upgrades = this.#upgrades([release, ...enters, ...goes, ...comes]);
    return [...leaves.values(), ...enters, ...goes, ...comes, release, ...upgrades];
  }

  /** One server serves, and nobody is in or out of a pool. */
  #behindApache(configured: Transition, serverHosts: ReadonlyMap<string, Transition>): Transition[] {
    const release = this.#release([configured, ...serverHosts.values()], this.#used(serverHosts));
    const edge = this.#edge([release]);
    return [release, edge, this.#maintenance([edge])];
  }

  /** What servers use; on each it comes after the server was made ready, and has left when it leaves. */
  #used(...steps: readonly ReadonlyMap<string, Transition>[]): readonly pulumi.Resource[] | undefined {
    const before = new Map(
      Object.keys(this.#args.config.servers).map((name) => [
        name,
        steps.flatMap((of) => of.get(name)?.finished ?? []),
      ]),
    );
    return this.#args.beforeRelease?.(before);
  }

  #member(name: string): Member {
    const member = this.#args.hosts.get(name);
    if (!member) throw new pulumi.RunError(`pool ${this.#pool}: ${name} is no host of this stack`);
    return member;
  }

  #transition(
    of: string,
    transition: string,
    how: {
      readonly hosts: readonly string[];
      readonly keepers: Record<string, pulumi.Input<string>>;
      readonly table: Table;
      readonly wanted?: Partial<PoolWanted>;
      readonly after: readonly pulumi.Resource[];
      readonly witnesses?: readonly string[];
      readonly sets?: Readonly<Record<string, readonly string[]>>;
      readonly perMachine?: boolean;
      readonly settings?: Readonly<Record<string, (host: string) => pulumi.Input<readonly string[]>>>;
      readonly secrets?: Readonly<Record<string, pulumi.Output<string>>>;
      readonly verdict?: { bad: string; cure: string };
    },
  ): Transition {
    const component = `${this.#pool}-${of}`;
    const { stack, adopt } = this.#args;
    const { verdict } = how;
    const made = new Transition(
      {
        ...{ component, transition, table: how.table, stack, adopt },
        members: new Map(how.hosts.map((name) => [name, this.#member(name)])),
        witnesses: new Map((how.witnesses ?? []).map((name) => [name, this.#member(name)])),
        keepers: how.keepers,
        sets: {
          balancers: this.#balancers,
          ...Object.fromEntries(this.#balancers.map((name) => [name, [name]])),
          ...how.sets,
        },
        perMachine: how.perMachine,
        settings: how.settings,
        secrets: how.secrets,
        preflight: () => this.#preflight(component, transition, how.hosts, how.wanted ?? {}),
        commands: verdict ? { "pool/verdict": (_, __, verdicts) => judged(verdict, verdicts) } : {},
        after: how.after,
      },
      { parent: this },
    );
    this.marks.push(...made.marks);
    return made;
  }

  /** A host made ready for its part, whatever runs on it. */
  #host(
    name: string,
    table: Table,
    conf: Record<string, pulumi.Input<string>>,
    secrets?: Record<string, pulumi.Output<string>>,
  ): Transition {
    const { host } = this.#member(name);
    return this.#transition(`host-${name}`, "provision", {
      hosts: [name],
      keepers: keepersOf<pulumi.Input<string>>({ machine: host.identity, ...conf }),
      table,
      secrets,
      after: [...host.ready, ...(this.#args.after ?? [])],
    });
  }

  #serverHost(name: string): Transition {
    const { config, database } = this.#args;
    const { host } = this.#member(name);
    const conf: Record<string, pulumi.Input<string>> = {
      ...{ address: host.address, port: String(config.appPort) },
      ...{ ready: config.ready.path, status: String(config.ready.status) },
      ...{ owner: config.owner, owner_uid: String(config.ownerUid), keep: String(config.keepReleases) },
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
    return this.#host(
      name,
      serverHostTable({ pool: this.#pool, software: config.software }),
      prefixed("conf.", conf),
      secret && { application: secret },
    );
  }

  /** The text that each balancer runs. A host's new address is a new text: nothing else could reach it. */
  #configure(hosts: readonly Transition[]): Transition {
    const { config } = this.#args;
    const servers = Object.keys(config.servers).sort();
    const addresses = pulumi.all(servers.map((name) => this.#member(name).host.address));
    const templates = this.#balancers.map((balancer): [string, pulumi.Output<string>] => [
      `template.${balancer}`,
      pulumi.all([addresses, this.#binds(balancer)]).apply(([of, binds]) =>
        haproxyConfig({
          pool: this.#pool,
          binds,
          servers: servers.map((name, index) => ({ name, address: of[index] ?? "", port: config.appPort })),
          ready: config.ready,
          host: config.host,
        }),
      ),
    ]);
    return this.#transition("balancers", "configure", {
      hosts: this.#balancers,
      keepers: keepersOf<pulumi.Input<string>>({
        ...Object.fromEntries(templates),
        ...this.#machines(this.#balancers),
      }),
      table: balancersTable(this.#pool, this.#balancers),
      after: hosts.map(({ finished }) => finished),
    });
  }

  #edge(after: readonly Transition[]): Transition {
    const { config } = this.#args;
    const kept = config.apache === "kept";
    const server = kept && config.apacheServer !== undefined ? this.#member(config.apacheServer) : undefined;
    const servers = kept ? deployed(this.#goal) : [];
    return this.#transition("edge", "serve", {
      hosts: [...this.#balancers, ...servers],
      sets: { servers },
      keepers: keepersOf<pulumi.Input<string>>({
        edge: config.edge,
        apache: config.apache === "none" ? undefined : config.apache,
        upstream: server && pulumi.interpolate`${server.host.address}:${String(config.appPort)}`,
        ...(kept
          ? Object.fromEntries(
              this.#balancers.map((name) => [
                `binds.${name}`,
                this.#binds(name).apply((all) => all.join(" ")),
              ]),
            )
          : {}),
        ...this.#machines(this.#balancers),
      }),
      table: edgeTable({ pool: this.#pool, host: config.host, edge: config.edge, apache: config.apache }),
      after: after.map(({ finished }) => finished),
    });
  }

  /** Where a balancer serves: its own address first, and what is not released. */
  #binds(balancer: string): pulumi.Output<string[]> {
    const { port, addresses } = this.#args.config;
    const more = Object.keys(addresses)
      .filter((address) => addresses[address]?.balancer === balancer && !addresses[address].released)
      .sort();
    return this.#member(balancer).host.address.apply((own) =>
      [own, ...more].map((address) => `${address}:${String(port)}`),
    );
  }

  /** Who still came by an address is asked while it is served. */
  #releasedAddresses(after: readonly Transition[]): Transition[] {
    const { port, addresses } = this.#args.config;
    return Object.entries(addresses)
      .filter(([, { balancer, released }]) => released && this.#balancers.includes(balancer))
      .map(([address, { balancer, deadline }]) =>
        this.#transition(`address-${address.replaceAll(".", "-")}`, "release", {
          hosts: [balancer],
          sets: { balancer: [balancer] },
          keepers: keepersOf<pulumi.Input<string>>({ address, deadline, ...this.#machines([balancer]) }),
          table: addressTable(this.#pool, { bind: `${address}:${String(port)}`, deadline }),
          after: after.map(({ finished }) => finished),
        }),
      );
  }

  #release(after: readonly Transition[], used: readonly pulumi.Resource[] = []): Transition {
    const { config } = this.#args;
    const groups = groupsOf(this.#goal);
    const servers = groups.flat();
    const { archive = "", sha256 = "" } = config.releases[config.release] ?? {};
    const sources = new Map(
      servers.map((name) => [
        name,
        /^https?:/.test(archive) ? undefined : this.#upload(name, archive, sha256),
      ]),
    );
    return this.#transition("release", "roll", {
      hosts: [...this.#balancers, ...servers],
      // Who is in the pool is no part of it: a server more gets its own steps, and the others none.
      keepers: keepersOf<pulumi.Input<string>>({
        revision: config.release,
        sha256,
      }),
      perMachine: true,
      table: config.edge === "apache" ? singleReleaseTable(this.#limits) : releaseTable(this.#limits, groups),
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
        minHealthy: this.#limits.minHealthy,
        minFreeMiB,
      },
      verdict: {
        bad: `release ${config.release} of ${this.#pool} is bad; every server that had it runs again what it ran before`,
        cure: `to go on with what runs, say so: npx pulumi config set --path changeover:appPools.${this.#pool}.release <the release before>; to try this one again: npx pulumi up --replace '**::${this.#pool}-release-roll-id'`,
      },
      after: [
        ...after.map(({ finished }) => finished),
        ...used,
        ...[...sources.values()].flatMap((copy) => (copy ? [copy.resource] : [])),
      ],
    });
  }

  #upload(name: string, archive: string, sha256: string) {
    const { host, scripts } = this.#member(name);
    const to = host.ssh.apply((ssh) => `${rootOn(ssh)}/${sha256}.tar.gz`);
    const resource = fileCopy(
      `${this.#pool}-archive-${name}`,
      host,
      { path: resolve(import.meta.dirname, "..", "..", archive), sha256, to },
      { parent: this, dependsOn: [...host.ready, ...(scripts ? [scripts] : [])] },
    );
    return { to, resource };
  }

  #membership(name: string, after: readonly Transition[]): Transition {
    const { config } = this.#args;
    const wanted = config.servers[name] ?? "out";
    return this.#transition(name, "member", {
      hosts: [...this.#balancers, ...(wanted === "in" ? [name] : [])],
      keepers: keepersOf<pulumi.Input<string>>({
        wanted,
        ...this.#machines([...this.#balancers, ...(wanted === "in" ? [name] : [])]),
      }),
      table: memberTable(this.#limits, name, wanted),
      wanted: {
        known: [name],
        ...(wanted === "in" ? { enters: name, release: config.release } : {}),
      },
      verdict: {
        bad: `${name} did not do well, and no balancer sends it a request`,
        cure: `mend it and start again: npx pulumi up --replace '**::${this.#pool}-${name}-member-id', or leave it out: npx pulumi config set --path changeover:appPools.${this.#pool}.servers.${name} out`,
      },
      after: after.map(({ finished }) => finished),
    });
  }

  /** Server after server: a round ends at the first one that does not do well with its new packages. */
  #upgrades(after: readonly Transition[]): Transition[] {
    const { systemUpgrade: round } = this.#args.config;
    const servers = round === undefined ? [] : deployed(this.#goal);
    return servers.reduce<Transition[]>(
      (done, name) => [...done, this.#upgrade(name, round ?? "", [...after, ...done.slice(-1)])],
      [],
    );
  }

  #upgrade(name: string, round: string, after: readonly Transition[]): Transition {
    const { config, cache } = this.#args;
    const { host } = this.#member(name);
    const node = cache?.nodes.includes(name) ? cache : undefined;
    const clients = (node?.clients ?? []).filter((client) => !this.#member(client).unreachable);
    return this.#transition(`upgrade-${name}`, "packages", {
      hosts: [...this.#balancers, name],
      witnesses: clients,
      sets: { server: [name], clients },
      keepers: keepersOf<pulumi.Input<string>>({ round, machine: host.identity }),
      table: upgradeTable(this.#limits, name, node?.name),
      settings: {
        "memcached/others": () =>
          node ? host.address.apply((address) => [placeOf(address, node.port)]) : [],
      },
      wanted: {
        known: [name],
        taken: config.servers[name] === "in" ? 1 : 0,
        minHealthy: this.#limits.minHealthy,
        minFreeMiB,
      },
      verdict: {
        bad: `${name} did not do well with its new packages; the servers after it keep theirs`,
        cure: `mend it and go on: npx pulumi up --replace '**::${this.#pool}-upgrade-${name}-packages-id', or take it out first: npx pulumi config set --path changeover:appPools.${this.#pool}.servers.${name} out`,
      },
      after: after.map(({ finished }) => finished),
    });
  }

  /**
   * A cut-over, and one that is taken back, ends with the page, which goes when servers have come in: so each turn of
   * the edge is another goal here too. While Apache serves there is nothing to do but to know that.
   */
  #maintenance(after: readonly Transition[]): Transition {
    const { edge, apache, maintenance } = this.#args.config;
    return this.#transition("maintenance", "set", {
      hosts: this.#balancers,
      keepers: keepersOf<pulumi.Input<string>>({
        maintenance: maintenance ? "on" : "off",
        edge: apache === "none" ? undefined : edge,
        ...this.#machines(this.#balancers),
      }),
      table: edge === "apache" ? [] : maintenanceTable(this.#pool),
      after: after.map(({ finished }) => finished),
    });
  }

  /** The machines behind the names: a rebuilt one is another. */
  #machines(hosts: readonly string[]): Record<string, pulumi.Output<string>> {
    return Object.fromEntries(hosts.map((name) => [`machine.${name}`, this.#member(name).host.identity]));
  }

  #preflight(
    component: string,
    transition: string,
    hosts: readonly string[],
    more: Partial<PoolWanted>,
  ): OperatorCommand {
    const { config, stack, adopt } = this.#args;
    const reach = Object.entries(config.reaches).map(([name, where]) => `${name}=${where}`);
    const order = stack.apply((owner) => {
      const wanted: PoolWanted = {
        ...{ component, transition, stack: owner, adopt },
        ...{ pool: this.#pool, balancers: this.#balancers },
        ...more,
      };
      return { kind: "pool" as const, wanted };
    });
    return preflightOf(
      hosts.map((name) => this.#member(name)),
      order,
      (host) =>
        this.#balancers.includes(host)
          ? ["haproxy/probe", component, this.#pool]
          : ["app/probe", component, this.#pool, ...reach],
    );
  }
}

function judged(
  order: { bad: string; cure: string },
  verdicts: pulumi.Output<readonly Verdict[]>,
): OperatorCommand {
  const stdin = verdicts.apply((seen) => JSON.stringify({ ...order, verdicts: seen }));
  return { create: `${process.execPath} ${join(run, "verdict.ts")}`, stdin };
}

function limitsOf(pool: string, config: PoolConfig): PoolLimits {
  const { readySeconds, upSeconds, bakeSeconds, groupBakeSeconds, host } = config;
  return {
    // A site in maintenance serves nobody, whoever is up.
    minHealthy: config.maintenance ? 0 : config.minHealthy,
    ...{ pool, readySeconds, upSeconds, bakeSeconds, groupBakeSeconds, host },
    ...{ drainSeconds: config.drain.seconds, policy: config.drain.policy, path: "/" },
  };
}
