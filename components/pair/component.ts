import { createHash } from "node:crypto";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Fence, ServiceAddress } from "../../platforms/platform.ts";
import { carriedLines, copiesOf, hasChecks, hasFiles, hasServices, isCopied } from "./carried.ts";
import type { Pair as PairConfig } from "./config.ts";
import { decides, type PairWanted } from "./decide.ts";
import {
  lostMember,
  outcomeOf,
  type PairGoal,
  type PairDatabase,
  standbyOf,
  type Status,
  statusesOf,
} from "./goal.ts";
import { aloneTable, type CarriedRows, type Grab, provisionTable, switchTable } from "./table.ts";
import { type Keepers, keepersOf } from "../../transition/table.ts";
import type { Decide, Operated, Site, SiteTransitionArgs } from "../../transition/site.ts";
import type { OperatorCommand } from "../../transition/args.ts";
import type { Transition } from "../../transition/transition.ts";
import type { Component } from "../system.ts";
import type { PairExpected } from "./verify.ts";

const run = join(import.meta.dirname, "run");

/**
 * Two machines, one of them production, with PostgreSQL streaming from it to the other and a service address that
 * follows it. `production` in the config says which; a change of it plans the switch.
 */
export class PrimaryStandbyPair extends pulumi.ComponentResource {
  readonly operated: Operated<PairExpected>;
  readonly #site: Site;
  readonly #config: PairConfig;
  readonly #name: string;
  readonly #goal: PairGoal;
  readonly #service: ServiceAddress;
  readonly #secret: pulumi.Output<string>;
  /** The password of the database's owner, for the application. */
  readonly #ownerPassword: pulumi.Output<string>;
  readonly #statuses: Readonly<Record<string, Status>>;
  /** The machine of the pair that is lost, and what cuts it off. */
  readonly #lost: string | undefined;
  readonly #fence: Fence | undefined;

  constructor(name: string, config: PairConfig, site: Site, opts?: pulumi.ComponentResourceOptions) {
    const { primary, secondary, production } = config;
    super("changeover:index:PrimaryStandbyPair", name, { production }, opts);
    this.#name = name;
    this.#config = config;
    this.#site = site;
    const { unreachable, suspect } = site;
    this.#goal = { primary, secondary, production, unreachable, suspect };
    this.#statuses = orRunError(name, () => statusesOf(this.#goal));
    this.#lost = lostMember(this.#goal);
    this.#fence = this.#lost === undefined ? undefined : site.platform.fence(this.#lost);
    warnOfAccepted(name, config, this.#lost !== undefined);
    this.#service = site.platform.serviceAddress(name, config.serviceAddress);
    this.#secret = this.#password("secret");
    this.#ownerPassword = this.#password("owner");

    // While a machine is lost nothing may stand before the other's way into service.
    const flip = this.#lost === undefined ? undefined : this.#switch();
    const provision = this.#provision(flip);
    const switched = flip ?? this.#switch(provision);
    const last = (flip ? provision : switched).finished;
    this.operated = this.#operated([provision, switched], last);
    this.registerOutputs({ statuses: this.#statuses, address: this.#service.address });
  }

  #operated(transitions: readonly Transition[], finished: pulumi.Resource): Operated<PairExpected> {
    const { address } = this.#service;
    const { port, database } = this.#config;
    const provides: PairDatabase = {
      address,
      port,
      name: database,
      password: this.#ownerPassword,
      ready: finished,
    };
    return {
      hosts: this.#machineNames(),
      marks: transitions.flatMap(({ marks }) => marks),
      finished: [finished],
      outcome: outcomeOf(this.#goal),
      expected: address.apply((held) => ({
        component: this.#name,
        statuses: this.#statuses,
        address: held,
      })),
      outputs: {
        serviceAddresses: address,
        statuses: this.#statuses,
        ownerPasswords: this.#ownerPassword,
      },
      provides,
    };
  }

  #password(of: string): pulumi.Output<string> {
    const args = { length: 40, special: false };
    return new random.RandomPassword(`${this.#name}-${of}`, args, { parent: this }).result;
  }

  #provision(after?: Transition): Transition {
    const config = this.#config;
    return this.#transition("provision", {
      whenLost: "freeze",
      keepers: keepersOf({
        primary: this.#goal.primary,
        secondary: this.#goal.secondary,
        // A password that is replaced is a new goal: the machines must be told.
        secrets: fingerprintOf(this.#secret, this.#ownerPassword),
        ...this.#machines(),
        ...this.#configuration(),
      }),
      table: provisionTable({
        software: config.software,
        carries: isCopied(config) || hasServices(config),
      }),
      settings: { "pair/configure": (host) => this.#addresses(host) },
      secrets: { pair: this.#secret, owner: this.#ownerPassword },
      after: [...this.#site.ready(this.#machineNames()), ...(after ? [after.finished] : this.#site.after)],
    });
  }

  #switch(provision?: Transition): Transition {
    const { checksFrom, maxLagMiB, replication, synchronous } = this.#config;
    const witness = checksFrom === "operator" ? undefined : checksFrom;
    const { movedBy, move } = this.#service;
    const [lost, fence] = [this.#lost, this.#fence];
    const carried = this.#carriedRows();
    const how = { platformMovesAddress: movedBy === "platform", checksFromHost: Boolean(witness), carried };
    return this.#transition("switch", {
      whenLost: "alone",
      keepers: keepersOf<pulumi.Input<string>>({
        primary: this.#goal.primary,
        secondary: this.#goal.secondary,
        production: this.#goal.production,
        ...(lost === undefined ? { standby: standbyOf(this.#goal) } : { lost, grab: this.#grab(lost) }),
        // A standby that stands still does not begin to stream by itself, nor one that streams end.
        replication: replication === "snapshot" ? "snapshot" : undefined,
        commits: synchronous && lost === undefined ? "synchronous" : undefined,
        serviceAddress: this.#service.address,
        checksFrom: witness,
        ...this.#machines(),
        ...Object.fromEntries(
          Object.entries(this.#statuses).map(([host, status]) => [`status.${host}`, status]),
        ),
      }),
      table:
        lost === undefined
          ? switchTable(how)
          : aloneTable({ ...how, fencedBy: fence?.by ?? "nobody", grab: this.#grab(lost) }),
      witnesses: witness === undefined ? [] : [witness],
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
        ...(fence?.by === "platform" ? { "pair/isolate": (name, _, opts) => fence.declare(name, opts) } : {}),
      },
      after: provision ? [provision.finished] : [],
    });
  }

  /** A machine that is unreachable gives nothing; one that is suspect may. */
  #grab(lost: string): Grab | undefined {
    const { finalSync } = this.#config;
    return this.#site.suspect.includes(lost) && finalSync !== "skip" ? finalSync : undefined;
  }

  #transition(
    transition: PairWanted["transition"],
    args: Omit<SiteTransitionArgs, "component" | "transition" | "hosts" | "decide">,
  ): Transition {
    const decide: Decide = {
      in: decides,
      kind: "pair",
      wanted: (keepers) => this.#wanted(keepers),
      probe: () => ["pair/probe", this.#name],
    };
    const hosts = this.#machineNames();
    return this.#site.transition(
      { component: this.#name, transition, hosts, decide, ...args },
      { parent: this },
    );
  }

  #machineNames(): string[] {
    return [this.#goal.primary, this.#goal.secondary];
  }

  /** The machines behind the names: a rebuilt one is another pair. */
  #machines(): Record<string, pulumi.Output<string>> {
    return this.#site.machines(this.#machineNames());
  }

  /** What each machine is told at provisioning and keeps in its own file, `<host>.<key>`. */
  #configuration(): Record<string, pulumi.Input<string>> {
    const { primary, secondary } = this.#goal;
    const { database, port, peerPort, clients, interface: link } = this.#config;
    const { movedBy, address } = this.#service;
    const carried = Object.entries(carriedLines(this.#config));
    const entries = [primary, secondary].flatMap((self) => {
      const settings: Record<string, pulumi.Input<string>> = {
        self,
        peer: self === primary ? secondary : primary,
        primary,
        secondary,
        database,
        port: String(port),
        peer_port: String(peerPort),
        interface: link,
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
    const config = this.#config;
    return {
      files: hasFiles(config),
      services: hasServices(config),
      checks: hasChecks(config),
      snapshot: config.replication === "snapshot",
    };
  }

  /** Addresses are no part of the goal: a new one is told at the next provisioning and starts none. */
  #addresses(self: string): pulumi.Output<string[]> {
    const members = this.#machineNames().map((name) => this.#site.member(name));
    const network = this.#site.platform.network ?? pulumi.output("");
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

  #wanted(kept: Keepers): Omit<PairWanted, "component" | "transition" | "stack" | "adopt"> {
    const config = this.#config;
    const { primary, secondary } = this.#goal;
    const production = kept.production ?? primary;
    return {
      production,
      standby: kept.standby ?? (production === primary ? secondary : primary),
      maxLagMiB: config.maxLagMiB,
      maxClockSkewSeconds: config.maxClockSkewSeconds,
      minFreeMiB: config.minFreeMiB,
      copies: copiesOf(config),
      maxCopyAgeMinutes: config.maxCopyAgeMinutes,
      lost: this.#lost,
      fenced: this.#fence !== undefined,
      acceptSplitBrainRisk: config.acceptSplitBrainRisk,
      acceptDataLoss: config.acceptDataLoss,
    };
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
    const { port, database, checks } = this.#config;
    const standby = this.#lost === undefined ? standbyOf(this.#goal) : "none";
    return this.#service.address.apply((address) => [
      ...[address, String(port), database, standby],
      ...(Object.keys(checks).length > 0 ? [JSON.stringify(checks)] : []),
    ]);
  }

  #checkFromHere(keepers: pulumi.Output<Keepers>): OperatorCommand {
    const { port, database, checks: pages } = this.#config;
    const stdin = pulumi
      .all([keepers, this.#service.address, this.#secret])
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

function orRunError<T>(pair: string, compute: () => T): T {
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

/** How the estate makes a pair. */
export const component: Component<PairConfig, PairExpected> = {
  declare: (name, config, site) => new PrimaryStandbyPair(name, config, site).operated,
};
