import * as pulumi from "@pulumi/pulumi";
import type { Cache as CacheConfig } from "./config.ts";
import { decides } from "./decide.ts";
import { type CacheGoal, cacheGoal, nodeComponent, placeOf, ringHash } from "./goal.ts";
import { nodeStory, ringStory } from "./stories.ts";
import { cacheLeaveTable, cacheNodeTable, cacheRingTable } from "./table.ts";
import type { CacheExpected } from "./verify.ts";
import { keepersOf } from "../../transition/table.ts";
import type { Decide, Operated, Site } from "../../transition/site.ts";
import type { TransitionArgs } from "../../transition/args.ts";
import type { Transition } from "../../transition/transition.ts";
import type { Component } from "../system.ts";

/**
 * A cache: memcached on some hosts, and their ring on the hosts that use them. First the nodes change, one after the
 * other. Then the clients get the ring. Then memcached is removed from nodes that are `out`.
 */
export class CacheRing extends pulumi.ComponentResource {
  readonly operated: Operated<CacheExpected>;
  readonly #name: string;
  readonly #config: CacheConfig;
  readonly #site: Site;
  readonly #goal: CacheGoal;

  constructor(name: string, config: CacheConfig, site: Site, opts?: pulumi.ComponentResourceOptions) {
    super("changeover:index:CacheRing", name, {}, opts);
    this.#name = name;
    this.#config = config;
    this.#site = site;
    this.#goal = cacheGoal(name, config);
    const { nodes, leaving, clients } = this.#goal;

    const serving = this.#inTurn(nodes, site.after, (host, after) => this.#node(host, "in", after));
    const ring = clients.length === 0 ? undefined : this.#ring(last(serving, site.after));
    const before = ring ? [ring.finished] : last(serving, site.after);
    const left = this.#inTurn(leaving, before, (host, after) => this.#node(host, "out", after));

    const transitions = [
      ...[...serving, ...left].map(([, transition]) => transition),
      ...(ring ? [ring] : []),
    ];
    const hosts = [...new Set([...nodes, ...leaving, ...clients])];
    const expected = this.#expected();
    this.operated = {
      hosts,
      marks: transitions.flatMap(({ marks }) => marks),
      finished: last(left, before),
      outcome: site.outcome(
        hosts,
        "a lost node keeps its place in the ring, and a lost client keeps its ring",
      ),
      expected,
      outputs: { caches: expected },
    };
    this.registerOutputs({ expected });
  }

  /** One host after the other, so at most one node is missing at a time. */
  #inTurn(
    hosts: readonly string[],
    after: readonly pulumi.Resource[],
    declare: (host: string, after: readonly pulumi.Resource[]) => Transition,
  ): [string, Transition][] {
    let before = after;
    return hosts.map((host) => {
      const transition = declare(host, before);
      before = [transition.finished];
      return [host, transition];
    });
  }

  #node(host: string, state: "in" | "out", after: readonly pulumi.Resource[]): Transition {
    const member = this.#site.member(host);
    const { address, ready } = member.host;
    const { clients, port } = this.#goal;
    const decide: Decide = {
      in: decides,
      kind: "node",
      probe: this.#probe,
      wanted: (keepers) =>
        address.apply((ownAddress) => ({
          cache: this.#name,
          node: host,
          address: ownAddress,
          state: keepers.state === "out" ? "out" : "in",
          port,
          memoryMiB: this.#config.memoryMiB,
        })),
    };
    return this.#site.transition(
      {
        component: nodeComponent(this.#name, host),
        transition: "node",
        decide,
        ...this.#nodeGoal(host, state),
        story: nodeStory(this.#name, host, state),
        // Removing a node changes nothing on clients: their ring has no longer had it since its own transition.
        hosts: state === "in" ? [...(clients.includes(host) ? [] : [host]), ...clients] : [host],
        sets: { clients },
        witnesses: clients,
        after: [...ready, ...after],
        // Nothing dials a lost node, so its transition freezes. Lost clients are left out.
        whenLost: member.unreachable ? "freeze" : "leave out",
      },
      { parent: this },
    );
  }

  #nodeGoal(host: string, state: "in" | "out"): Pick<TransitionArgs, "table" | "keepers"> {
    const config = this.#config;
    const { address, identity } = this.#site.member(host).host;
    const clients = this.#goal.clients.map((client) => this.#site.member(client).host.address);
    const settings = {
      address,
      port: String(config.port),
      memory_mib: String(config.memoryMiB),
      connections: String(config.connections),
      clients: pulumi.all(clients).apply((addresses) => addresses.join(",")),
      ...this.#moving(),
    };
    const keepers = keepersOf<pulumi.Input<string>>({
      cache: this.#name,
      state,
      node: host,
      place: this.#place(host),
      ...(state === "in" ? settings : {}),
      [`machine.${host}`]: identity,
    });
    const table = state === "in" ? cacheNodeTable : cacheLeaveTable;
    return { keepers, table: this.#present().length > 0 ? table : table.filter(({ on }) => on === "node") };
  }

  /** How entries move: the client that copies them, its limits, and the units to reload. */
  #moving() {
    const { copySeconds, settleSeconds, reloads } = this.#config;
    return {
      copier: this.#present()[0],
      copySeconds: String(copySeconds),
      settleSeconds: String(settleSeconds),
      reloads: reloads.join(","),
    };
  }

  /** Clients that are not lost. */
  #present(): string[] {
    return this.#goal.clients.filter((client) => !this.#site.isLost(client));
  }

  #ring(after: readonly pulumi.Resource[]): Transition {
    const { clients, nodes } = this.#goal;
    const present = this.#present();
    const places = pulumi.all(nodes.map((host) => this.#place(host)));
    const lost = nodes.filter((host) => this.#site.isLost(host));
    return this.#site.transition(
      {
        component: this.#name,
        transition: "ring",
        story: ringStory,
        hosts: clients,
        whenLost: "leave out",
        keepers: keepersOf<pulumi.Input<string>>({
          cache: this.#name,
          ring: places.apply(joined),
          sha256: places.apply(ringHash),
          clients: clients.join(","),
          // A client that was left out still has the old ring when it returns, so its return is a new goal.
          present: present.join(","),
          ...this.#moving(),
          // A lost node keeps its place, and programs skip it. No client has to reach it, and no entry moves meanwhile.
          ...(lost.length === 0
            ? {}
            : { copySeconds: "0", lost: pulumi.all(lost.map((host) => this.#place(host))).apply(joined) }),
          ...this.#site.machines(clients),
        }),
        table: present.length > 0 ? cacheRingTable : [],
        after: [...this.#site.ready(clients), ...after],
        decide: {
          in: decides,
          kind: "ring",
          hosts: present,
          probe: this.#probe,
          wanted: ({ sha256 = "" }) => ({ sha256 }),
        },
      },
      { parent: this },
    );
  }

  readonly #probe: Decide["probe"] = (_, { component, address }) => [
    ...(["memcached/probe", String(component), this.#name, String(this.#goal.port)] as const),
    ...(typeof address === "string" ? [address] : []),
  ];

  #place(host: string): pulumi.Output<string> {
    return this.#site.member(host).host.address.apply((address) => placeOf(address, this.#goal.port));
  }

  #expected(): pulumi.Output<CacheExpected> {
    const { nodes, clients, port } = this.#goal;
    const hosts = Object.keys(this.#config.nodes);
    const places = pulumi.all(Object.fromEntries(hosts.map((host) => [host, this.#place(host)])));
    return places.apply((placeByHost) => ({
      port,
      nodes: this.#config.nodes,
      clients,
      places: placeByHost,
      sha256: ringHash(nodes.map((host) => placeByHost[host] ?? "")),
    }));
  }
}

const last = (
  transitions: readonly [string, Transition][],
  otherwise: readonly pulumi.Resource[] = [],
): readonly pulumi.Resource[] => {
  const end = transitions.at(-1)?.[1];
  return end ? [end.finished] : otherwise;
};

const joined = (places: readonly string[]): string => places.join(",");

/** How the estate declares a cache. */
export const component: Component<CacheConfig, CacheExpected> = {
  declare: (name, config, site) => new CacheRing(name, config, site).operated,
};
