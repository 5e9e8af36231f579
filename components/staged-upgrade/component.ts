import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import type { StagedUpgrade as UpgradeConfig } from "../../config.ts";
import type { Mark } from "../../transition/marks.ts";
import { preflightOf } from "../../transition/preflight.ts";
import type { UpgradeWanted } from "./decide.ts";
import { backupIn, settingsOf, upgradeGoal, type UpgradeGoal } from "./goal.ts";
import { greenOf, type Ran, withGreen } from "./soak.ts";
import { stagedUpgradeTable, upgradeHostTable } from "./table.ts";
import type { UpgradeExpected } from "./verify.ts";
import { keepersOf, prefixed } from "../../transition/table.ts";
import { type Member, type OperatorCommand, Transition } from "../../transition/transition.ts";

export interface StagedUpgradeArgs {
  readonly config: UpgradeConfig;
  /** All hosts of the estate by name; the upgrade's are among them. */
  readonly hosts: ReadonlyMap<string, Member>;
  readonly stack: pulumi.Output<string>;
  readonly adopt?: string;
  /** What must be finished before anything is touched. */
  readonly after?: readonly pulumi.Resource[];
  /** What ran green on this stack before. */
  readonly ran: readonly Ran[];
}

/** A repository may take a minute to say what it offers. */
const lookSeconds = 75;

/**
 * One package on many hosts. Each host is told what it is by a transition of its own; the version is one goal of all of
 * them, with a barrier after each stage.
 */
export class StagedUpgrade extends pulumi.ComponentResource {
  /** Depend on these to come after all of it. */
  readonly finished: readonly pulumi.Resource[];
  /** What is done on which host. */
  readonly marks: pulumi.Input<Mark>[] = [];
  /** What ran here and runs now, which another stack may ask for; and what `npm run verify` compares the hosts with. */
  readonly output: pulumi.Output<UpgradeExpected>;
  readonly #name: string;
  readonly #args: StagedUpgradeArgs;
  readonly #goal: UpgradeGoal;
  /** What `software` may use as a password of all hosts. */
  readonly #shared: pulumi.Output<string> | undefined;

  constructor(name: string, args: StagedUpgradeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("changeover:index:StagedUpgrade", name, { version: args.config.version }, opts);
    this.#name = name;
    this.#args = args;
    this.#goal = upgradeGoal(name, args.config);
    this.#shared = args.config.software === undefined ? undefined : this.#password();
    const told = Object.keys(args.config.hosts)
      .sort()
      .map((host) => this.#host(host));
    const upgrade = this.#upgrade(told);
    this.finished = [upgrade.finished];
    const { main, diskPercent } = args.config;
    this.output = upgrade.receipt("upgrade/green").apply((receipt) => ({
      ...{ ran: withGreen(args.ran, greenOf(receipt)), main, diskPercent },
      hosts: Object.keys(args.config.hosts).sort(),
    }));
    this.registerOutputs();
  }

  #host(host: string): Transition {
    const { config, after = [] } = this.#args;
    const { software } = config;
    return this.#transition(`${this.#name}-${host}`, "host", [host], {
      table: upgradeHostTable(this.#name, software),
      settings: software === undefined ? {} : { [software]: () => this.#addresses() },
      secrets: this.#shared ? { shared: this.#shared } : {},
      keepers: keepersOf<pulumi.Input<string>>({
        software,
        ...prefixed("conf.", settingsOf(config, host)),
        [`machine.${host}`]: this.#member(host).host.identity,
      }),
      after,
    });
  }

  #password(): pulumi.Output<string> {
    const args = { length: 40, special: false };
    return new RandomPassword(`${this.#name}-shared`, args, { parent: this }).result;
  }

  /** The main host's address, then every host's by its role. */
  #addresses(): pulumi.Output<string[]> {
    const { hosts } = this.#args.config;
    const byRole = Object.entries(hosts)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([host, role]) => pulumi.interpolate`${role}=${this.#member(host).host.address}`);
    return pulumi.all([this.#member(this.#goal.main).host.address, ...byRole]);
  }

  #upgrade(told: readonly Transition[]): Transition {
    const { config } = this.#args;
    const { others, groups, smoke, main } = this.#goal;
    const { seconds, backup, silence } = config;
    return this.#transition(this.#name, "upgrade", Object.keys(config.hosts).sort(), {
      table: stagedUpgradeTable(this.#goal, {
        ...seconds,
        ...{ backupMinutes: backup.maxAgeMinutes, silenceMinutes: silence.minutes },
        back: backupIn(config.acceptDataLoss),
      }),
      // A host more plans its own steps only, so no host but the main one stands in the goal.
      keepers: keepersOf<pulumi.Input<string>>({
        ...{ package: config.package, version: config.version, main },
        [`machine.${main}`]: this.#member(main).host.identity,
      }),
      sets: {
        others,
        ...Object.fromEntries(groups.map((hosts, index) => [`group-${String(index + 1)}`, hosts])),
        ...Object.fromEntries(smoke.map((test) => [`smoke-${test.name}`, [test.on]])),
      },
      perMachine: true,
      after: told.map(({ finished }) => finished),
    });
  }

  #transition(
    component: string,
    transition: "host" | "upgrade",
    hosts: readonly string[],
    args: Pick<
      ConstructorParameters<typeof Transition>[0],
      "table" | "keepers" | "sets" | "perMachine" | "after" | "settings" | "secrets"
    >,
  ): Transition {
    const { stack, adopt } = this.#args;
    const members = new Map(hosts.map((host) => [host, this.#member(host)]));
    const lost = [...members.values()].filter(({ unreachable }) => unreachable).map(({ host }) => host.name);
    const away = `${component} stays as it is while ${lost.join(", ")} is in changeover:unreachable: no barrier holds without it`;
    if (lost.length > 0) void pulumi.log.warn(away);
    const made = new Transition(
      {
        ...{ component, transition, members, stack, adopt },
        ...args,
        frozen: lost.length > 0,
        refuses:
          lost.length > 0
            ? `${away}; mend it and take it off the list, or take it out of the upgrade`
            : undefined,
        after: [...[...members.values()].flatMap(({ host }) => [...host.ready]), ...(args.after ?? [])],
        preflight: () => this.#preflight(component, transition, members),
      },
      { parent: this },
    );
    this.marks.push(...made.marks);
    return made;
  }

  #preflight(
    component: string,
    transition: "host" | "upgrade",
    members: ReadonlyMap<string, Member>,
  ): OperatorCommand {
    const { config, stack, adopt } = this.#args;
    const order = stack.apply((owner) => {
      const asks = { component, transition, stack: owner, adopt };
      const wanted: UpgradeWanted = {
        ...asks,
        ...{ name: this.#name, package: config.package, version: config.version, main: config.main },
        ...{ diskPercent: config.diskPercent, back: backupIn(config.acceptDataLoss) },
      };
      return transition === "host"
        ? { kind: "upgradeHost" as const, wanted: asks }
        : { kind: "upgrade" as const, wanted };
    });
    return preflightOf(
      [...members.values()],
      order,
      () => ["upgrade/probe", component, this.#name, config.version],
      lookSeconds,
    );
  }

  #member(name: string): Member {
    const member = this.#args.hosts.get(name);
    if (!member) throw new Error(`staged upgrade ${this.#name}: ${name} is no host of this stack`);
    return member;
  }
}
