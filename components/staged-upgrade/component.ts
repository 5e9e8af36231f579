import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import type { Component } from "../system.ts";
import type { StagedUpgrade as UpgradeConfig } from "./config.ts";
import { decides } from "./decide.ts";
import { backupIn, lookSeconds, settingsOf, upgradeGoal, type UpgradeGoal } from "./goal.ts";
import { greenOf, ranIn, withGreen } from "./soak.ts";
import { hostStory, upgradeStory } from "./stories.ts";
import { recordGreen, stagedUpgradeTable, upgradeHostTable } from "./table.ts";
import type { UpgradeExpected } from "./verify.ts";
import { fingerprintOf } from "../../transition/secrets.ts";
import { keepersOf, prefixed } from "../../transition/table.ts";
import type { Operated, Site, SiteTransitionArgs } from "../../transition/site.ts";
import type { Transition } from "../../transition/transition.ts";

/**
 * One package on many hosts. A transition of each host prepares that host. The version is one goal of all hosts, with a
 * barrier after each phase.
 */
export class StagedUpgrade extends pulumi.ComponentResource {
  readonly operated: Operated<UpgradeExpected>;
  readonly #name: string;
  readonly #config: UpgradeConfig;
  readonly #site: Site;
  readonly #goal: UpgradeGoal;
  readonly #hosts: readonly string[];
  /** A password that `software` gets on all hosts. */
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
    const before = ranIn(site.last, name);
    const expected: UpgradeExpected = { ran: before, main, diskPercent, hosts: this.#hosts };
    const upgrades = upgrade
      .receipt(recordGreen)
      .apply((receipt) => ({ ...expected, ran: withGreen(before, greenOf(receipt)) }));
    this.operated = {
      hosts: this.#hosts,
      marks: [...configured, upgrade].flatMap(({ marks }) => marks),
      finished: [upgrade.finished],
      outcome: site.outcome(this.#hosts, "every barrier needs all hosts, so nothing is upgraded"),
      expected,
      // The versions that ran here: a stack with `soak` reads them.
      outputs: { upgrades },
    };
    this.registerOutputs();
  }

  #host(host: string): Transition {
    const config = this.#config;
    const { software } = config;
    return this.#transition(`${this.#name}-${host}`, "host", [host], {
      table: upgradeHostTable(this.#name, software),
      story: hostStory,
      settings: software === undefined ? {} : { [software]: () => this.#addresses() },
      secrets: this.#shared ? { shared: this.#shared } : {},
      keepers: keepersOf<pulumi.Input<string>>({
        software,
        ...prefixed("conf.", settingsOf(config, host)),
        [`machine.${host}`]: this.#site.member(host).host.identity,
        ...(this.#shared ? { secret: fingerprintOf(this.#shared) } : {}),
      }),
      after: this.#site.after,
    });
  }

  #password(): pulumi.Output<string> {
    const args = { length: 40, special: false };
    return new RandomPassword(`${this.#name}-shared`, args, { parent: this }).result;
  }

  /** The main host's address, then `ROLE=ADDRESS` of each host. */
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
      story: upgradeStory(this.#name, backupIn(config.acceptDataLoss)),
      table: stagedUpgradeTable(this.#goal, {
        ...seconds,
        backupMinutes: backup.maxAgeMinutes,
        silenceMinutes: silence.minutes,
        back: backupIn(config.acceptDataLoss),
      }),
      // An added host plans only its own steps, so the goal names only the main host.
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
    const { package: packageName, version, main, diskPercent, acceptDataLoss } = this.#config;
    const wanted = {
      name: this.#name,
      package: packageName,
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
        cure: "repair the host and remove it from that list, or remove it from the upgrade",
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

/** How the estate declares a staged upgrade. */
export const component: Component<UpgradeConfig, UpgradeExpected> = {
  declare: (name, config, site) => new StagedUpgrade(name, config, site).operated,
};
