import { createHash } from "node:crypto";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Pair as PairConfig } from "../../config.ts";
import type { Fence, Platform, ServiceAddress } from "../../platforms/platform.ts";
import { carriedLines, copiesOf, hasChecks, hasFiles, hasServices, isCopied } from "./carried.ts";
import { preflightOf } from "../../transition/preflight.ts";
import type { PairWanted } from "./decide.ts";
import { outcomeOf, type PairGoal, standbyOf, type Status, statusesOf, withoutWhom } from "./goal.ts";
import { aloneTable, type CarriedRows, type Grab, provisionTable, switchTable } from "./table.ts";
import { type Keepers, keepersOf } from "../../transition/table.ts";
import { type Member, type OperatorCommand, Transition } from "../../transition/transition.ts";

export interface PairArgs {
  readonly config: PairConfig;
  readonly unreachable: readonly string[];
  readonly suspect: readonly string[];
  /** All hosts of the estate by name; the pair's two are among them. */
  readonly hosts: ReadonlyMap<string, Member>;
  readonly platform: Platform;
  /** The stack's own id; hosts that another stack operates are refused. */
  readonly stack: pulumi.Output<string>;
  readonly adopt?: string;
  /** What must be finished before anything is touched; an emergency waits for nothing. */
  readonly after?: readonly pulumi.Resource[];
}

const run = join(import.meta.dirname, "run");

/**
 * Two machines, one of them production, with PostgreSQL streaming from it to the other and a service address that
 * follows it. `production` in the config says which; a change of it plans the switch.
 */
export class PrimaryStandbyPair extends pulumi.ComponentResource {
  readonly statuses: Readonly<Record<string, Status>>;
  /** Whether the goal leaves anything out, in words. */
  readonly outcome: string;
  readonly address: pulumi.Output<string>;
  /** Depend on it to come after all of the pair's transitions. */
  readonly finished: pulumi.Resource;
  readonly transitions: Readonly<Record<string, pulumi.Output<string>>>;
  /** The password of the database's owner, for the application. */
  readonly ownerPassword: pulumi.Output<string>;
  readonly #args: PairArgs;
  readonly #name: string;
  readonly #goal: PairGoal;
  readonly #service: ServiceAddress;
  readonly #secret: pulumi.Output<string>;
  /** The machine of the pair that is lost, and what cuts it off. */
  readonly #lost: string | undefined;
  readonly #fence: Fence | undefined;

  constructor(name: string, args: PairArgs, opts?: pulumi.ComponentResourceOptions) {
    const { primary, secondary, production } = args.config;
    super("changeover:index:PrimaryStandbyPair", name, { production }, opts);
    this.#name = name;
    this.#args = args;
    const { suspect } = args;
    this.#goal = { primary, secondary, production, unreachable: [...args.unreachable, ...suspect], suspect };
    this.statuses = inWords(name, () => statusesOf(this.#goal));
    this.outcome = outcomeOf(this.#goal);
    this.#lost = withoutWhom(this.#goal);
    this.#fence = this.#lost === undefined ? undefined : args.platform.fence(this.#lost);
    warnOfAccepted(name, args.config, this.#lost !== undefined);
    this.#service = args.platform.serviceAddress(name, args.config.serviceAddress);
    this.address = this.#service.address;
    this.#secret = this.#password("secret");
    this.ownerPassword = this.#password("owner");

    // While a machine is lost nothing may stand before the other's way into service.
    const flip = this.#lost === undefined ? undefined : this.#switch();
    const provision = this.#provision(flip);
    const switched = flip ?? this.#switch(provision);
    this.finished = (flip ? provision : switched).finished;
    this.transitions = { provision: provision.id, switch: switched.id };
    this.registerOutputs({ statuses: this.statuses, address: this.address });
  }

  #password(of: string): pulumi.Output<string> {
    const args = { length: 40, special: false };
    return new random.RandomPassword(`${this.#name}-${of}`, args, { parent: this }).result;
  }

  #provision(after?: Transition): Transition {
    const members = this.#members();
    return new Transition(
      {
        ...this.#common("provision"),
        keepers: keepersOf({
          primary: this.#goal.primary,
          secondary: this.#goal.secondary,
          // A password that is replaced is a new goal: the machines must be told.
          secrets: fingerprintOf(this.#secret, this.ownerPassword),
          ...this.#machines(),
          ...this.#configuration(),
        }),
        table: provisionTable({
          software: this.#args.config.software,
          carries: isCopied(this.#args.config) || hasServices(this.#args.config),
        }),
        settings: { "pair/configure": (host) => this.#addresses(host) },
        secrets: { pair: this.#secret, owner: this.ownerPassword },
        frozen: this.#lost !== undefined,
        after: [
          ...[...members.values()].flatMap(({ host }) => [...host.ready]),
          ...(after ? [after.finished] : (this.#args.after ?? [])),
        ],
      },
      { parent: this },
    );
  }

  #switch(provision?: Transition): Transition {
    const { checksFrom, maxLagMiB } = this.#args.config;
    const witness = checksFrom === "operator" ? undefined : this.#args.hosts.get(checksFrom);
    const { movedBy, move } = this.#service;
    const [lost, fence] = [this.#lost, this.#fence];
    const carried = this.#carriedRows();
    const how = { platformMovesAddress: movedBy === "platform", checksFromHost: Boolean(witness), carried };
    return new Transition(
      {
        ...this.#common("switch"),
        keepers: keepersOf<pulumi.Input<string>>({
          ...{ primary: this.#goal.primary, secondary: this.#goal.secondary },
          production: this.#goal.production,
          ...(lost === undefined ? { standby: standbyOf(this.#goal) } : { lost, grab: this.#grab(lost) }),
          // A standby that stands still does not begin to stream by itself, nor one that streams end.
          replication: this.#args.config.replication === "snapshot" ? "snapshot" : undefined,
          commits: this.#args.config.synchronous && lost === undefined ? "synchronous" : undefined,
          serviceAddress: this.#service.address,
          checksFrom: witness?.host.name,
          ...this.#machines(),
          ...Object.fromEntries(
            Object.entries(this.statuses).map(([host, status]) => [`status.${host}`, status]),
          ),
        }),
        table:
          lost === undefined
            ? switchTable(how)
            : aloneTable({ ...how, fencedBy: fence?.by ?? "nobody", grab: this.#grab(lost) }),
        witnesses: new Map(witness ? [[witness.host.name, witness]] : []),
        settings: {
          "pair/ready": () => [String(maxLagMiB)],
          "pair/check": () => this.#serviceWords(),
        },
        secrets: { pair: this.#secret },
        commands: {
          "pair/check": (keepers) => this.#checkFromHere(keepers),
          ...(fence?.by === "operator"
            ? { "pair/isolate": (keepers, receipt) => this.#isolate(keepers, receipt, fence.command) }
            : {}),
        },
        moves: {
          ...(move ? { "move-address": move } : {}),
          ...(fence?.by === "platform"
            ? { "pair/isolate": (name, _, opts) => fence.declare(name, opts) }
            : {}),
        },
        after: provision ? [provision.finished] : [],
      },
      { parent: this },
    );
  }

  /** A machine that is unreachable gives nothing; one that is suspect may. */
  #grab(lost: string): Grab | undefined {
    const { suspect, config } = this.#args;
    return suspect.includes(lost) && config.finalSync !== "skip" ? config.finalSync : undefined;
  }

  #common(transition: PairWanted["transition"]) {
    const { stack, adopt } = this.#args;
    return {
      component: this.#name,
      transition,
      members: this.#members(),
      stack,
      adopt,
      preflight: (keepers: pulumi.Output<Keepers>) => this.#preflight(transition, keepers),
    };
  }

  #members(): ReadonlyMap<string, Member> {
    return new Map(
      [this.#goal.primary, this.#goal.secondary].map((host) => {
        const member = this.#args.hosts.get(host);
        if (!member) throw new Error(`pair ${this.#name}: ${host} is no host of this stack`);
        return [host, member];
      }),
    );
  }

  /** The machines behind the names: a rebuilt one is another pair. */
  #machines(): Record<string, pulumi.Output<string>> {
    return Object.fromEntries(
      [...this.#members()].map(([name, { host }]) => [`machine.${name}`, host.identity]),
    );
  }

  /** What each machine is told at provisioning and keeps in its own file, `<host>.<key>`. */
  #configuration(): Record<string, pulumi.Input<string>> {
    const { primary, secondary } = this.#goal;
    const { database, port, peerPort, clients, interface: link } = this.#args.config;
    const { movedBy, address } = this.#service;
    const carried = Object.entries(carriedLines(this.#args.config));
    const entries = [primary, secondary].flatMap((self) => {
      const settings: Record<string, pulumi.Input<string>> = {
        self,
        peer: self === primary ? secondary : primary,
        ...{ primary, secondary, database, port: String(port), peer_port: String(peerPort), interface: link },
        clients: clients.join(","),
        service_address: movedBy === "host" ? address : "none",
      };
      return Object.entries(settings).map(([key, value]): [string, pulumi.Input<string>] => [
        `${self}.${key}`,
        value,
      ]);
    });
    return Object.fromEntries([
      ...entries,
      ...carried.map(([key, value]): [string, string] => [`both_carry.${key}`, value]),
    ]);
  }

  #carriedRows(): CarriedRows {
    const { config } = this.#args;
    return {
      files: hasFiles(config),
      services: hasServices(config),
      checks: hasChecks(config),
      snapshot: config.replication === "snapshot",
    };
  }

  /** Addresses are no part of the goal: a new one is told at the next provisioning and starts none. */
  #addresses(self: string): pulumi.Output<string[]> {
    const members = [...this.#members().values()];
    const network = this.#args.platform.network ?? pulumi.output("");
    return pulumi
      .all([pulumi.all(members.map(({ host }) => host.address)), network])
      .apply(([addresses, reachable]) => {
        const own = members.findIndex(({ host }) => host.name === self);
        return [
          `self_address=${addresses[own] ?? ""}`,
          `peer_address=${addresses[1 - own] ?? ""}`,
          `network=${reachable}`,
        ];
      });
  }

  #preflight(transition: PairWanted["transition"], keepers: pulumi.Output<Keepers>): OperatorCommand {
    const { config, stack, adopt } = this.#args;
    const order = pulumi.all([keepers, stack]).apply(([kept, owner]) => {
      const production = kept.production ?? this.#goal.primary;
      const wanted: PairWanted = {
        ...{ component: this.#name, transition, stack: owner, adopt, production },
        standby:
          kept.standby ?? (production === this.#goal.primary ? this.#goal.secondary : this.#goal.primary),
        ...{ maxLagMiB: config.maxLagMiB, maxClockSkewSeconds: config.maxClockSkewSeconds },
        minFreeMiB: config.minFreeMiB,
        ...{ copies: copiesOf(config), maxCopyAgeMinutes: config.maxCopyAgeMinutes },
        ...{ lost: this.#lost, fenced: this.#fence !== undefined },
        acceptSplitBrainRisk: config.acceptSplitBrainRisk,
        acceptDataLoss: config.acceptDataLoss,
      };
      return { kind: "pair" as const, wanted };
    });
    return preflightOf([...this.#members().values()], order, () => ["pair/probe", this.#name]);
  }

  #isolate(
    keepers: pulumi.Output<Keepers>,
    preflight: pulumi.Output<string>,
    command: pulumi.Output<string>,
  ): OperatorCommand {
    const stdin = pulumi
      .all([keepers, preflight, command])
      .apply(([{ lost }, receipt, fence]) => JSON.stringify({ pair: this.#name, lost, receipt, fence }));
    return { create: `${process.execPath} ${join(run, "isolate.ts")}`, stdin };
  }

  #serviceWords(): pulumi.Output<string[]> {
    const { port, database, checks } = this.#args.config;
    const standby = this.#lost === undefined ? standbyOf(this.#goal) : "none";
    return this.address.apply((address) => [
      ...[address, String(port), database, standby],
      ...(Object.keys(checks).length > 0 ? [JSON.stringify(checks)] : []),
    ]);
  }

  #checkFromHere(keepers: pulumi.Output<Keepers>): OperatorCommand {
    const { port, database, checks: pages } = this.#args.config;
    const stdin = pulumi
      .all([keepers, this.address, this.#secret])
      .apply(([kept, address, password]) =>
        JSON.stringify({ pair: this.#name, address, port, database, password, standby: kept.standby, pages }),
      );
    return { create: `${process.execPath} ${join(run, "check-from-outside.ts")}`, stdin };
  }
}

/** At 40 random letters and digits it gives nothing away. */
function fingerprintOf(...secrets: pulumi.Output<string>[]): pulumi.Output<string> {
  return pulumi.unsecret(
    pulumi
      .all(secrets)
      .apply((all) => createHash("sha256").update(all.join("\0")).digest("hex").slice(0, 12)),
  );
}

function inWords<T>(pair: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    throw new pulumi.RunError(`pair ${pair}: ${(error as Error).message}`);
  }
}

/** A line that accepts a risk is for one night. */
function warnOfAccepted(pair: string, config: PairConfig, alone: boolean): void {
  for (const key of ["acceptSplitBrainRisk", "acceptDataLoss"] as const) {
    if (config[key] !== undefined && !alone)
      void pulumi.log.warn(`changeover:pairs.${pair}.${key} accepts nothing any more; take it out`);
  }
}
