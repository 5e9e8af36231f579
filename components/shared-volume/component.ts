import * as pulumi from "@pulumi/pulumi";
import type { Component } from "../system.ts";
import type { SharedVolume as VolumeConfig } from "./config.ts";
import { type BricksWanted, decides } from "./decide.ts";
import { allowKeeper, bricksOf, keptAs, type MountedBy, mountOrder, optionsOf, rolesOf } from "./goal.ts";
import { volumeStories } from "./stories.ts";
import { bricksTable, mountTable, type Replaces, unmountTable, volumeHostTable } from "./table.ts";
import { type Keepers, keepersOf, type Table } from "../../transition/table.ts";
import type { Operated, Site } from "../../transition/site.ts";
import type { Transition } from "../../transition/transition.ts";
import type { VolumeExpected } from "./verify.ts";

/** One independent goal of a volume. */
interface Goal {
  readonly component: string;
  readonly transition: string;
  readonly hosts: readonly string[];
  readonly table: Table;
  readonly keepers: Record<string, pulumi.Input<string> | undefined>;
  readonly kind: "host" | "bricks" | "mount";
  /** What its preflight is given, beside component, transition and stack. */
  readonly wanted?: (keepers: Keepers) => object;
  /** The last words of the probe. */
  readonly look: (host: string) => readonly string[];
  readonly after: readonly pulumi.Resource[];
}

/**
 * A folder that several hosts share: GlusterFS on three servers, or two and an arbiter. Each host, the bricks, and each
 * mount have a transition of their own, so a new host plans only its own steps.
 */
export class SharedVolume extends pulumi.ComponentResource {
  readonly operated: Operated<VolumeExpected>;
  readonly #config: VolumeConfig;
  readonly #site: Site;
  readonly #name: string;
  /** What must be finished on a host before its mount changes: its user exists, its server has left the pool. */
  readonly #beforeMount: MountedBy["beforeMount"];
  readonly #transitions: Transition[] = [];

  constructor(
    name: string,
    config: VolumeConfig,
    site: Site,
    { beforeMount }: Partial<MountedBy> = {},
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("changeover:index:SharedVolume", name, {}, opts);
    this.#name = name;
    this.#config = config;
    this.#site = site;
    this.#beforeMount = beforeMount ?? new Map();
    const roles = rolesOf(config);
    const hosts = new Map(Object.entries(roles).map(([host, role]) => [host, this.#provision(host, role)]));
    const bricks = this.#bricks(bricksOf(config).flatMap(({ host }) => hosts.get(host) ?? []));
    const mounted = this.#mounts(hosts, bricks);
    this.operated = {
      hosts: Object.keys(roles),
      marks: this.#transitions.flatMap(({ marks }) => marks),
      finished: [bricks.finished, ...mounted.values()],
      outcome: site.outcome(Object.keys(roles), "its mount stays as it is, and the bricks too if it has one"),
      expected: { bricks: bricksOf(config), mounts: config.mounts },
    };
    this.registerOutputs();
  }

  #provision(host: string, role: "server" | "client"): Transition {
    return this.#transition({
      component: `${this.#name}-${host}`,
      transition: "provision",
      hosts: [host],
      table: volumeHostTable,
      keepers: { role },
      kind: "host" as const,
      look: () => ["host"],
      after: this.#site.after,
    });
  }

  #bricks(provisioned: readonly Transition[]): Transition {
    const bricks = bricksOf(this.#config);
    const places = Object.fromEntries(
      bricks.map(({ host, role, path }) => [
        `${role}.${host}`,
        pulumi.interpolate`${this.#site.member(host).host.address}:${path}`,
      ]),
    );
    const options = Object.fromEntries(
      Object.entries(optionsOf(this.#config)).map(([key, value]) => [`option.${key}`, value]),
    );
    // A host stays allowed while its mount is `none`: it is unmounted after this.
    const allowed = Object.keys(rolesOf(this.#config)).map((host) => this.#site.member(host).host.address);
    const [first] = bricks;
    const wanted = (keepers: Keepers): Omit<BricksWanted, "component" | "transition" | "stack"> => ({
      volume: this.#name,
      first: keepers.first ?? "",
      allowed: (keepers[allowKeeper] ?? "").split(","),
      bricks: (["data", "arbiter"] as const).flatMap((role) =>
        Object.entries(keepers)
          .filter(([key]) => key.startsWith(`${role}.`))
          .map(([, brick]) => ({ role, brick })),
      ),
    });
    return this.#transition({
      component: `${this.#name}-volume`,
      transition: "bricks",
      hosts: bricks.map(({ host }) => host),
      table: bricksTable,
      keepers: {
        volume: this.#name,
        first: first?.host,
        ...places,
        ...options,
        [allowKeeper]: pulumi.all(allowed).apply((addresses) => addresses.sort().join(",")),
      },
      kind: "bricks" as const,
      wanted,
      after: provisioned.map(({ finished }) => finished),
      look: (host) => [`brick=${bricks.find((brick) => brick.host === host)?.path ?? ""}`],
    });
  }

  /** The host of `copyFrom` comes first: once its folder is copied and linked, the other hosts copy nothing. */
  #mounts(hosts: ReadonlyMap<string, Transition>, bricks: Transition): ReadonlyMap<string, pulumi.Resource> {
    const { copyFrom } = this.#config;
    const mounted = new Map<string, pulumi.Resource>();
    for (const host of mountOrder(this.#config)) {
      const provision = hosts.get(host);
      const before = [bricks.finished, ...(provision ? [provision.finished] : [])];
      const copied = copyFrom === undefined ? undefined : mounted.get(copyFrom);
      const own = this.#beforeMount.get(host) ?? [];
      mounted.set(host, this.#mount(host, [...before, ...own, ...(copied ? [copied] : [])]).finished);
    }
    return mounted;
  }

  #mount(host: string, after: readonly pulumi.Resource[]): Transition {
    const config = this.#config;
    const path = config.mounts[host] ?? "none";
    const servers = pulumi
      .all(bricksOf(config).map((brick) => this.#site.member(brick.host).host.address))
      .apply((addresses) => addresses.join(","));
    const replaces: Replaces =
      config.replaces === undefined ? "none" : config.copyFrom === host ? "copies" : "holds";
    return this.#transition({
      component: `${this.#name}-${host}-mount`,
      transition: "client",
      hosts: [host],
      table: path === "none" ? unmountTable : mountTable(replaces),
      keepers: {
        volume: this.#name,
        host,
        path,
        owner: config.owner,
        servers,
        ...(config.replaces === undefined
          ? {}
          : {
              replaces: config.replaces,
              kept: keptAs(this.#name, config),
              copies: replaces === "copies" ? "yes" : "",
            }),
        checkSeconds: String(config.checkSeconds),
      },
      kind: "mount",
      wanted: ({ path: at = "" }) => ({ volume: this.#name, path: at }),
      look: () => [`mount=${path}`],
      after,
    });
  }

  #transition(args: Goal): Transition {
    const { component, transition, hosts, table, kind, wanted, look } = args;
    const declared = this.#site.transition(
      {
        component,
        transition,
        hosts,
        table,
        whenLost: "freeze",
        story: volumeStories[kind],
        keepers: keepersOf<pulumi.Input<string>>({ ...args.keepers, ...this.#site.machines(hosts) }),
        decide: {
          in: decides,
          kind,
          wanted,
          probe: (host) => ["gluster/probe", component, this.#name, ...look(host)],
        },
        after: [...this.#site.ready(hosts), ...args.after],
      },
      { parent: this },
    );
    this.#transitions.push(declared);
    return declared;
  }
}

/** How the estate declares a volume. A pool whose servers mount it passes what must be finished before. */
export const component: Component<VolumeConfig, VolumeExpected> = {
  declare: (name, config, site, extra) =>
    new SharedVolume(name, config, site, extra as MountedBy | undefined).operated,
};
