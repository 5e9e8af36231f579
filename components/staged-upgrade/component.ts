import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import type { Component } from "../system.ts";
import type { StagedUpgrade as UpgradeConfig } from "./config.ts";
import { decides } from "./decide.ts";
import { backupIn, lookSeconds, settingsOf, upgradeGoal, type UpgradeGoal } from "./goal.ts";
import { greenOf, ranIn, withGreen } from "./soak.ts";
import { stagedUpgradeTable, upgradeHostTable } from "./table.ts";
import type { UpgradeExpected } from "./verify.ts";
import { keepersOf, prefixed } from "../../transition/table.ts";
import type { Operated, Site, SiteTransitionArgs } from "../../transition/site.ts";
import type { Transition } from "../../transition/transition.ts";

/**
 * One package on many hosts. Each host is told what it is by a transition of its own; the version is one goal of all of
 * them, with a barrier after each stage.
 */
export class StagedUpgrade extends pulumi.ComponentResource {
  readonly operated: Operated<UpgradeExpected>;
  readonly #name: string;
  readonly #config: UpgradeConfig;
  readonly #site: Site;
  readonly #goal: UpgradeGoal;
  readonly #hosts: readonly string[];
  /** What `software` may use as a password of all hosts. */
  readonly #shared: pulumi.Output<string> | undefined;

  constructor(name: string, config: UpgradeConfig, site: Site, opts?: pulumi.ComponentResourceOptions) {
    super("changeover:index:StagedUpgrade", name, { version: config.version }, opts);
    this.#name = name;
    this.#config = config;
    this.#site = site;
    this.#goal = upgradeGoal(name, config);
    this.#hosts = Object.keys(config.hosts).sort();
    this.#shared = config.software === undefined ? undefined : this.#password();
    const configured = this.#hosts.map((host) => this.#host(host));
    const upgrade = this.#upgrade(configured);
    const { main, diskPercent } = config;
    const expected = upgrade.receipt("upgrade/green").apply((receipt) => ({
      ran: withGreen(ranIn(site.last, name), greenOf(receipt)),
      main,
      diskPercent,
      hosts: this.#hosts,
    }));
    this.operated = {
      hosts: this.#hosts,
      marks: [...configured, upgrade].flatMap(({ marks }) => marks),
      finished: [upgrade.finished],
      outcome: site.outcome(this.#hosts, "no barrier holds without it, so nothing is upgraded"),
      expected,
      // What ran here and runs now: a stack that comes later asks for it.
      outputs: { upgrades: expected },
    };
    this.registerOutputs();
  }

  #host(host: string): Transition {
    const config = this.#config;
    const { software } = config;
    return this.#transition(`${this.#name}-${host}`, "host", [host], {
      table: upgradeHostTable(this.#name, software),
      settings: software === undefined ? {} : { [software]: () => this.#addresses() },
      secrets: this.#shared ? { shared: this.#shared } : {},
      keepers: keepersOf<pulumi.Input<string>>({
        software,
        ...prefixed("conf.", settingsOf(config, host)),
        [`machine.${host}`]: this.#site.member(host).host.identity,
      }),
      after: this.#site.after,
    });
  }

  #password(): pulumi.Output<string> {
    const args = { length: 40, special: false };
    return new RandomPassword(`${this.#name}-shared`, args, { parent: this }).result;
  }

  /** The main host's address, then every host's by its role. */
  #addresses(): pulumi.Output<string[]> {
    const { hosts } = this.#config;
    const byRole = Object.entries(hosts)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([host, role]) => pulumi.interpolate`${role}=${this.#site.member(host).host.address}`);
    return pulumi.all([this.#site.member(this.#goal.main).host.address, ...byRole]);
  }

  #upgrade(configured: readonly Transition[]): Transition {
    const config = this.#config;
    const { others, groups, smoke, main } = this.#goal;
    const { seconds, backup, silence } = config;
    return this.#transition(this.#name, "upgrade", this.#hosts, {
      table: stagedUpgradeTable(this.#goal, {
        ...seconds,
        backupMinutes: backup.maxAgeMinutes,
        silenceMinutes: silence.minutes,
        back: backupIn(config.acceptDataLoss),
      }),
      // A host more plans its own steps only, so no host but the main one stands in the goal.
      keepers: keepersOf<pulumi.Input<string>>({
        package: config.package,
        version: config.version,
        main,
        [`machine.${main}`]: this.#site.member(main).host.identity,
      }),
      sets: {
        others,
        ...Object.fromEntries(groups.map((hosts, index) => [`group-${String(index + 1)}`, hosts])),
        ...Object.fromEntries(smoke.map((test) => [`smoke-${test.name}`, [test.on]])),
      },
      perMachine: true,
      after: configured.map(({ finished }) => finished),
    });
  }

  #transition(
    component: string,
    transition: "host" | "upgrade",
    hosts: readonly string[],
    args: Omit<SiteTransitionArgs, "component" | "transition" | "hosts" | "decide" | "whenLost">,
  ): Transition {
    const { package: its, version, main, diskPercent, acceptDataLoss } = this.#config;
    const wanted = {
      name: this.#name,
      package: its,
      version,
      main,
      diskPercent,
      back: backupIn(acceptDataLoss),
    };
    return this.#site.transition(
      {
        ...args,
        component,
        transition,
        hosts,
        whenLost: "refuse",
        cure: "mend it and take it off the list, or take it out of the upgrade",
        after: [...this.#site.ready(hosts), ...(args.after ?? [])],
        decide: {
          in: decides,
          kind: transition,
          seconds: lookSeconds,
          wanted: () => (transition === "host" ? {} : wanted),
          probe: () => ["upgrade/probe", component, this.#name, version],
        },
      },
      { parent: this },
    );
  }
}

/** How the estate makes a staged upgrade. */
export const component: Component<UpgradeConfig, UpgradeExpected> = {
  declare: (name, config, site) => new StagedUpgrade(name, config, site).operated,
};
