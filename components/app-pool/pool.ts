import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import type { Decide, Site } from "../../transition/site.ts";
import type { Table } from "../../transition/table.ts";
import type { OperatorCommand, Verdict } from "../../transition/args.ts";
import type { Transition } from "../../transition/transition.ts";
import type { AppPool as PoolConfig } from "./config.ts";
import { decides, type PoolWanted } from "./decide.ts";
import type { PoolLimits } from "./table.ts";

const run = join(import.meta.dirname, "..", "..", "transition", "run");

/** Free space for releases that a server must have, in MiB. */
export const minFreeMiB = 256;

/** One goal of a pool. */
interface Goal {
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
  readonly verdict?: { readonly bad: string; readonly cure: string };
}

/** What the parts of a pool have in common: its config, its site, and one way to declare a goal. */
export class Pool {
  readonly name: string;
  readonly config: PoolConfig;
  readonly site: Site;
  readonly parent: pulumi.Resource;
  readonly limits: PoolLimits;
  /** Balancers that steps run on. */
  readonly balancers: readonly string[];
  readonly transitions: Transition[] = [];

  constructor(name: string, config: PoolConfig, site: Site, parent: pulumi.Resource) {
    this.name = name;
    this.config = config;
    this.site = site;
    this.parent = parent;
    this.limits = limitsOf(name, config);
    this.balancers = config.balancers.filter((balancer) => !site.isLost(balancer));
  }

  /** @param of the part of the pool that moves; records on hosts stand under the pool's name and it. */
  transition(of: string, transition: string, { verdict, wanted, sets, ...how }: Goal): Transition {
    const made = this.site.transition(
      {
        ...how,
        component: `${this.name}-${of}`,
        transition,
        whenLost: "leave out",
        sets: {
          balancers: this.balancers,
          ...Object.fromEntries(this.balancers.map((name) => [name, [name]])),
          ...sets,
        },
        decide: this.#decide(`${this.name}-${of}`, wanted),
        commands: verdict ? { "pool/verdict": (_, __, verdicts) => judged(verdict, verdicts) } : {},
      },
      { parent: this.parent },
    );
    this.transitions.push(made);
    return made;
  }

  #decide(component: string, more: Partial<PoolWanted> = {}): Decide {
    const reach = Object.entries(this.config.reaches).map(([name, where]) => `${name}=${where}`);
    return {
      in: decides,
      kind: "pool",
      wanted: () => ({ pool: this.name, balancers: this.balancers, ...more }),
      probe: (host) =>
        this.balancers.includes(host)
          ? ["haproxy/probe", component, this.name]
          : ["app/probe", component, this.name, ...reach],
    };
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
    pool,
    readySeconds,
    upSeconds,
    bakeSeconds,
    groupBakeSeconds,
    host,
    drainSeconds: config.drain.seconds,
    policy: config.drain.policy,
    path: "/",
  };
}
