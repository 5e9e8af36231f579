import * as pulumi from "@pulumi/pulumi";
import type { SharedVolume as VolumeConfig } from "../../config.ts";
import type { PreflightOrder } from "../deciders.ts";
import type { BricksWanted } from "./decide.ts";
import { bricksOf, keptAs, mountOrder, optionsOf, rolesOf } from "./goal.ts";
import { bricksTable, mountTable, type Replaces, unmountTable, volumeHostTable } from "./table.ts";
import type { Mark } from "../../transition/marks.ts";
import { preflightOf } from "../../transition/preflight.ts";
import { type Keepers, keepersOf, type Table } from "../../transition/table.ts";
import { type Member, type OperatorCommand, Transition } from "../../transition/transition.ts";

export interface SharedVolumeArgs {
  readonly config: VolumeConfig;
  /** All hosts of the estate by name; the volume's are among them. */
  readonly hosts: ReadonlyMap<string, Member>;
  /** The stack's own id; hosts that another stack operates are refused. */
  readonly stack: pulumi.Output<string>;
  readonly adopt?: string;
  /** What must be finished before anything is touched. */
  readonly after?: readonly pulumi.Resource[];
  /** What must be finished on a host before its mount is touched: its user, its leave from a pool. */
  readonly beforeMount?: ReadonlyMap<string, readonly pulumi.Resource[]>;
}

/** One independent goal of a volume. */
interface Goal {
  readonly component: string;
  readonly transition: string;
  readonly hosts: readonly string[];
  readonly table: Table;
  readonly keepers: Record<string, pulumi.Input<string> | undefined>;
  readonly kind: "volumeHost" | "bricks" | "mount";
  /** What its preflight is told besides who asks. */
  readonly wanted?: (keepers: Keepers) => object;
  /** Words of the probe. */
  readonly look: (host: string) => readonly string[];
  readonly after: readonly pulumi.Resource[];
}

/**
 * A folder that several hosts share: GlusterFS on three servers, or two and an arbiter. Each host, the bricks, and each
 * mount are goals of their own, so that a host that comes plans its own steps only.
 */
export class SharedVolume extends pulumi.ComponentResource {
  /** By host: depend on it to come after the mount. */
  readonly mounted: ReadonlyMap<string, pulumi.Resource>;
  /** Depend on these to come after all of it. */
  readonly finished: readonly pulumi.Resource[];
  /** What is done on which host. */
  readonly marks: pulumi.Input<Mark>[] = [];
  readonly #args: SharedVolumeArgs;
  readonly #name: string;

  constructor(name: string, args: SharedVolumeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("changeover:index:SharedVolume", name, {}, opts);
    this.#name = name;
    this.#args = args;
    const hosts = new Map(
      Object.entries(rolesOf(args.config)).map(([host, role]) => [host, this.#provision(host, role)]),
    );
    const bricks = this.#bricks(bricksOf(args.config).flatMap(({ host }) => hosts.get(host) ?? []));
    this.mounted = this.#mounts(hosts, bricks);
    this.finished = [bricks.finished, ...this.mounted.values()];
    this.registerOutputs();
  }

  #provision(host: string, role: "server" | "client"): Transition {
    return this.#transition({
      ...{ component: `${this.#name}-${host}`, transition: "provision" },
      ...{ hosts: [host], table: volumeHostTable, keepers: { role } },
      ...{ kind: "volumeHost" as const, look: () => ["host"], after: this.#args.after ?? [] },
    });
  }

  #bricks(provisioned: readonly Transition[]): Transition {
    const bricks = bricksOf(this.#args.config);
    const places = Object.fromEntries(
      bricks.map(({ host, role, path }) => [
        `${role}.${host}`,
        pulumi.interpolate`${this.#member(host).host.address}:${path}`,
      ]),
    );
    const options = Object.fromEntries(
      Object.entries(optionsOf(this.#args.config)).map(([key, value]) => [`option.${key}`, value]),
    );
    const [first] = bricks;
    const wanted = (keepers: Keepers): Omit<BricksWanted, "component" | "transition" | "stack"> => ({
      ...{ volume: this.#name, first: keepers.first ?? "" },
      bricks: (["data", "arbiter"] as const).flatMap((role) =>
        Object.entries(keepers)
          .filter(([key]) => key.startsWith(`${role}.`))
          .map(([, brick]) => ({ role, brick })),
      ),
    });
    return this.#transition({
      ...{ component: `${this.#name}-volume`, transition: "bricks" },
      ...{ hosts: bricks.map(({ host }) => host), table: bricksTable },
      keepers: { volume: this.#name, first: first?.host, ...places, ...options },
      ...{ kind: "bricks" as const, wanted, after: provisioned.map(({ finished }) => finished) },
      look: (host) => [`brick=${bricks.find((brick) => brick.host === host)?.path ?? ""}`],
    });
  }

  /** The host whose folder is copied comes first; where that is linked, the others have nothing to copy. */
  #mounts(hosts: ReadonlyMap<string, Transition>, bricks: Transition): ReadonlyMap<string, pulumi.Resource> {
    const { copyFrom } = this.#args.config;
    const mounted = new Map<string, pulumi.Resource>();
    for (const host of mountOrder(this.#args.config)) {
      const before = [bricks.finished, ...[hosts.get(host)].flatMap((one) => (one ? [one.finished] : []))];
      const copied = copyFrom === undefined ? undefined : mounted.get(copyFrom);
      const own = this.#args.beforeMount?.get(host) ?? [];
      mounted.set(host, this.#mount(host, [...before, ...own, ...(copied ? [copied] : [])]).finished);
    }
    return mounted;
  }

  #mount(host: string, after: readonly pulumi.Resource[]): Transition {
    const { config } = this.#args;
    const path = config.mounts[host] ?? "none";
    const servers = pulumi
      .all(bricksOf(config).map((brick) => this.#member(brick.host).host.address))
      .apply((addresses) => addresses.join(","));
    const way: Replaces =
      config.replaces === undefined ? "none" : config.copyFrom === host ? "copies" : "holds";
    return this.#transition({
      ...{ component: `${this.#name}-${host}-mount`, transition: "client" },
      ...{ hosts: [host], table: path === "none" ? unmountTable : mountTable(way) },
      keepers: {
        ...{ volume: this.#name, host, path, owner: config.owner, servers },
        ...(config.replaces === undefined
          ? {}
          : {
              replaces: config.replaces,
              kept: keptAs(this.#name, config),
              copies: way === "copies" ? "yes" : "",
            }),
        checkSeconds: String(config.checkSeconds),
      },
      ...{
        kind: "mount",
        wanted: ({ path: at = "" }) => ({ volume: this.#name, path: at }),
      },
      ...{ look: () => [`mount=${path}`], after },
    });
  }

  #transition(args: Goal): Transition {
    const { component, transition, table, after } = args;
    const members = new Map(args.hosts.map((host) => [host, this.#member(host)]));
    const lost = [...members.values()].filter(({ unreachable }) => unreachable).map(({ host }) => host.name);
    if (lost.length > 0)
      void pulumi.log.warn(
        `${component} stays as it is while ${lost.join(", ")} is in changeover:unreachable`,
      );
    const made = new Transition(
      {
        ...{ component, transition, table, members, stack: this.#args.stack, adopt: this.#args.adopt },
        keepers: keepersOf<pulumi.Input<string>>({
          ...args.keepers,
          ...Object.fromEntries([...members].map(([name, { host }]) => [`machine.${name}`, host.identity])),
        }),
        frozen: lost.length > 0,
        after: [...[...members.values()].flatMap(({ host }) => [...host.ready]), ...after],
        preflight: (keepers) => this.#preflight(args, members, keepers),
      },
      { parent: this },
    );
    this.marks.push(...made.marks);
    return made;
  }

  #preflight(
    args: Goal,
    members: ReadonlyMap<string, Member>,
    keepers: pulumi.Output<Keepers>,
  ): OperatorCommand {
    const { stack, adopt } = this.#args;
    const { component, transition, kind } = args;
    const order = pulumi.all([keepers, stack]).apply(([kept, owner]) => {
      const wanted = { component, transition, stack: owner, adopt, ...args.wanted?.(kept) };
      return { kind, wanted } as PreflightOrder;
    });
    return preflightOf([...members.values()], order, (host) => [
      "gluster/probe",
      component,
      this.#name,
      ...args.look(host),
    ]);
  }

  #member(host: string): Member {
    const member = this.#args.hosts.get(host);
    if (!member) throw new Error(`shared volume ${this.#name}: ${host} is no host of this stack`);
    return member;
  }
}
