import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import type { Decide, Site } from "../../transition/site.ts";
import { localProgram } from "../../transition/start.ts";
import type { Table } from "../../transition/table.ts";
import type { OperatorCommand, Story, Verdict } from "../../transition/args.ts";
import type { Transition } from "../../transition/transition.ts";
import type { AppPool as PoolConfig } from "./config.ts";
import { decides, type PoolWanted } from "./decide.ts";
import type { PoolLimits } from "./tables/member.ts";

const run = join(import.meta.dirname, "..", "..", "transition", "run");

/** Free disk space that a server must have for releases, in MiB. */
export const minFreeMiB = 256;

/** One independent goal of a pool. */
interface Goal {
  readonly hosts: readonly string[];
  readonly keepers: Record<string, pulumi.Input<string>>;
  readonly table: Table;
  readonly story: Story;
  readonly wanted?: Partial<PoolWanted>;
  readonly after: readonly pulumi.Resource[];
  readonly witnesses?: readonly string[];
  readonly sets?: Readonly<Record<string, readonly string[]>>;
  readonly perMachine?: boolean;
  readonly settings?: Readonly<Record<string, (host: string) => pulumi.Input<readonly string[]>>>;
  readonly secrets?: Readonly<Record<string, pulumi.Output<string>>>;
  readonly verdict?: { readonly bad: string; readonly cure: string };
}

/** What all parts of a pool share: its config, its site, and one way to declare a goal. */
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

  /** Declare one goal. @param part of the pool; records on hosts are named by pool and part. */
  transition(part: string, transition: string, { verdict, wanted, sets, ...how }: Goal): Transition {
    const declared = this.site.transition(
      {
        ...how,
        component: `${this.name}-${part}`,
        transition,
        whenLost: "leave out",
        sets: {
          balancers: this.balancers,
          ...Object.fromEntries(this.balancers.map((name) => [name, [name]])),
          ...sets,
        },
        decide: this.#decide(`${this.name}-${part}`, wanted),
        commands: verdict ? { "pool/verdict": (_, __, verdicts) => verdictCommand(verdict, verdicts) } : {},
      },
      { parent: this.parent },
    );
    this.transitions.push(declared);
    return declared;
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

function verdictCommand(
  order: { bad: string; cure: string },
  verdicts: pulumi.Output<readonly Verdict[]>,
): OperatorCommand {
  const stdin = verdicts.apply((judged) => JSON.stringify({ ...order, verdicts: judged }));
  return { create: localProgram(join(run, "verdict.ts")), stdin };
}

function limitsOf(pool: string, config: PoolConfig): PoolLimits {
  const { readySeconds, upSeconds, bakeSeconds, groupBakeSeconds, host } = config;
  return {
    // A site in maintenance serves no user, so no capacity is kept.
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
