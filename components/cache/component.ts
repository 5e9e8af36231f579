import * as pulumi from "@pulumi/pulumi";
import type { Cache as CacheConfig } from "../../config.ts";
import { type CacheGoal, cacheGoal, nodeComponent, placeOf, ringHash } from "./goal.ts";
import { cacheLeaveTable, cacheNodeTable, cacheRingTable } from "./table.ts";
import type { CacheExpected } from "./verify.ts";
import type { PreflightOrder } from "../deciders.ts";
import { preflightOf } from "../../transition/preflight.ts";
import { keepersOf } from "../../transition/table.ts";
import {
  type Member,
  type OperatorCommand,
  Transition,
  type TransitionArgs,
} from "../../transition/transition.ts";

export interface CacheArgs {
  readonly config: CacheConfig;
  /** All hosts of the estate by name. */
  readonly hosts: ReadonlyMap<string, Member>;
  readonly stack: pulumi.Output<string>;
  readonly adopt?: string;
  /** What must be finished before anything is touched. */
  readonly after?: readonly pulumi.Resource[];
}

/**
 * A cache: memcached on some hosts, and the ring of them on those that use it. Nodes are changed one after the other,
 * then the clients get the ring, then nodes that are no more in it lose their servers.
 */
export class CacheRing extends pulumi.ComponentResource {
  /** What `npm run verify` compares the hosts with. */
  readonly expected: pulumi.Output<CacheExpected>;
  /** Depend on it to come after all of the cache's transitions. */
  readonly finished: readonly pulumi.Resource[];
  readonly #name: string;
  readonly #args: CacheArgs;
  readonly #goal: CacheGoal;

  constructor(name: string, args: CacheArgs, opts?: pulumi.ComponentResourceOptions) {
    super("changeover:index:CacheRing", name, {}, opts);
    this.#name = name;
    this.#args = args;
    this.#goal = cacheGoal(name, args.config);
    const { nodes, leaving, clients } = this.#goal;

    const serving = this.#inTurn(nodes, args.after ?? [], (host, after) => this.#node(host, "in", after));
    const ring = clients.length === 0 ? undefined : this.#ring(last(serving, args.after));
    const before = ring ? [ring.finished] : last(serving, args.after);
    const left = this.#inTurn(leaving, before, (host, after) => this.#node(host, "out", after));

    this.finished = last(left, before);
    this.expected = this.#expected([...serving, ...left], ring);
    this.registerOutputs({ expected: this.expected });
  }

  /** One host after the other: there is never more than one node less than there should be. */
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
    const { stack, adopt } = this.#args;
    const member = this.#member(host);
    const component = nodeComponent(this.#name, host);
    // A node that goes changes nothing on clients: they have done without it since they got the ring.
    const members = new Map([[host, member], ...(state === "in" ? this.#clients() : [])]);
    const { table, keepers } = this.#nodeGoal(host, state);
    return new Transition(
      {
        ...{ component, transition: "node", stack, adopt, table, keepers, members },
        ...{ sets: { clients: this.#goal.clients }, witnesses: this.#clients() },
        after: [...member.host.ready, ...after],
        // Nobody can change what nothing dials.
        frozen: member.unreachable,
        preflight: (kept) =>
          this.#preflight(
            [...members.keys()],
            component,
            pulumi.all([kept, stack, member.host.address]).apply(([goal, owner, address]) => ({
              kind: "cache-node" as const,
              wanted: {
                ...{ component, transition: "node", stack: owner, adopt },
                ...{ cache: this.#name, node: host, address },
                state: goal.state === "out" ? ("out" as const) : ("in" as const),
                ...{ port: this.#goal.port, memoryMiB: this.#args.config.memoryMiB },
              },
            })),
          ),
      },
      { parent: this },
    );
  }

  #nodeGoal(host: string, state: "in" | "out"): Pick<TransitionArgs, "table" | "keepers"> {
    const { config } = this.#args;
    const { address, identity } = this.#member(host).host;
    const clients = this.#goal.clients.map((client) => this.#member(client).host.address);
    const settings = {
      ...{ address, port: String(config.port), memory_mib: String(config.memoryMiB) },
      connections: String(config.connections),
      clients: pulumi.all(clients).apply((addresses) => addresses.join(",")),
      ...this.#moving(),
    };
    const keepers = keepersOf<pulumi.Input<string>>({
      ...{ cache: this.#name, state, node: host, place: this.#place(host) },
      ...(state === "in" ? settings : {}),
      [`machine.${host}`]: identity,
    });
    const all = state === "in" ? cacheNodeTable : cacheLeaveTable;
    return { keepers, table: this.#present().length > 0 ? all : all.filter(({ on }) => on === "node") };
  }

  /** How entries move, and who copies them. */
  #moving() {
    const { copySeconds, settleSeconds, reloads } = this.#args.config;
    return {
      copier: this.#present()[0],
      ...{ copySeconds: String(copySeconds), settleSeconds: String(settleSeconds) },
      reloads: reloads.join(","),
    };
  }

  /** Clients that something dials. */
  #present(): string[] {
    return this.#goal.clients.filter((client) => !this.#member(client).unreachable);
  }

  #ring(after: readonly pulumi.Resource[]): Transition {
    const { stack, adopt } = this.#args;
    const members = this.#clients();
    const present = this.#present();
    const places = pulumi.all(this.#goal.nodes.map((host) => this.#place(host)));
    const lost = this.#goal.nodes.filter((host) => this.#member(host).unreachable);
    return new Transition(
      {
        ...{ component: this.#name, transition: "ring", stack, adopt, members },
        keepers: keepersOf<pulumi.Input<string>>({
          cache: this.#name,
          ring: places.apply((all) => all.join(",")),
          sha256: places.apply(ringHash),
          clients: this.#goal.clients.join(","),
          // A client that is left out has the old ring when it comes back, so its return is a new goal.
          present: present.join(","),
          ...this.#moving(),
          // A dead node keeps its place: programs go around it. Nobody is asked to reach it, and nothing moves meanwhile.
          ...(lost.length === 0
            ? {}
            : { copySeconds: "0", lost: pulumi.all(lost.map((host) => this.#place(host))).apply(joined) }),
          ...Object.fromEntries(
            [...members].map(([host, member]) => [`machine.${host}`, member.host.identity]),
          ),
        }),
        table: present.length > 0 ? cacheRingTable : [],
        after: [...[...members.values()].flatMap(({ host }) => [...host.ready]), ...after],
        preflight: (keepers) =>
          this.#preflight(
            present,
            this.#name,
            pulumi.all([keepers, stack]).apply(([kept, owner]) => ({
              kind: "cache-ring" as const,
              wanted: {
                ...{ component: this.#name, transition: "ring", stack: owner, adopt },
                sha256: kept.sha256 ?? "",
              },
            })),
          ),
      },
      { parent: this },
    );
  }

  #member(name: string): Member {
    const member = this.#args.hosts.get(name);
    if (!member) throw new Error(`cache ${this.#name}: ${name} is no host of this stack`);
    return member;
  }

  #clients(): ReadonlyMap<string, Member> {
    return new Map(this.#goal.clients.map((client) => [client, this.#member(client)]));
  }

  #place(host: string): pulumi.Output<string> {
    return this.#member(host).host.address.apply((address) => placeOf(address, this.#goal.port));
  }

  /** @param hosts those that are looked at. */
  #preflight(
    hosts: readonly string[],
    component: string,
    order: pulumi.Output<Extract<PreflightOrder, { kind: "cache-node" | "cache-ring" }>>,
  ): OperatorCommand {
    return preflightOf(
      hosts.map((host) => this.#member(host)),
      order,
      (_, told) => [
        ...(["memcached/probe", component, this.#name, String(this.#goal.port)] as const),
        ...(told.kind === "cache-node" ? [told.wanted.address] : []),
      ],
    );
  }

  #expected(
    nodes: readonly [string, Transition][],
    ring: Transition | undefined,
  ): pulumi.Output<CacheExpected> {
    const { config } = this.#args;
    const places = Object.fromEntries(nodes.map(([host]) => [host, this.#place(host)]));
    const ids = Object.fromEntries([
      ...nodes.map(([host, { id }]) => [nodeComponent(this.#name, host), id] as const),
      ...(ring ? [[this.#name, ring.id] as const] : []),
    ]);
    return pulumi.all([pulumi.all(places), pulumi.all(ids)]).apply(([all, done]) => ({
      ...{ port: config.port, nodes: config.nodes, clients: this.#goal.clients },
      ...{ places: all, ids: done },
      sha256: ringHash(this.#goal.nodes.map((host) => all[host] ?? "")),
    }));
  }
}

const last = (
  transitions: readonly [string, Transition][],
  otherwise: readonly pulumi.Resource[] = [],
): readonly pulumi.Resource[] => {
  const end = transitions.at(-1);
  return end ? [end[1].finished] : otherwise;
};

const joined = (places: readonly string[]): string => places.join(",");
