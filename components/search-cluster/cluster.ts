import type * as pulumi from "@pulumi/pulumi";
import type { Decide, Site, SiteTransitionArgs } from "../../transition/site.ts";
import type { Transition } from "../../transition/transition.ts";
import type { SearchCluster as SearchConfig, SearchNode } from "./config.ts";
import { decides } from "./decide.ts";
import { askerOf } from "./goal.ts";
import type { TableArgs } from "./table.ts";
import type { SearchExpected } from "./verify.ts";

/** One independent goal of a cluster. */
type Goal = Omit<SiteTransitionArgs, "decide" | "whenLost"> & {
  readonly kind: "host" | "form" | "member" | "roll" | "snapshot" | "panic" | "index";
  /** What its preflight is told, beside the names. */
  readonly wanted?: object;
};

/** What all parts of a cluster share: its config, its site, what was before, and one way to declare a goal. */
export class Cluster {
  readonly name: string;
  readonly config: SearchConfig;
  readonly site: Site;
  readonly parent: pulumi.Resource;
  readonly tables: TableArgs;
  /** What the last update left. */
  readonly last: SearchExpected | undefined;
  readonly transitions: Transition[] = [];

  constructor(name: string, config: SearchConfig, site: Site, parent: pulumi.Resource) {
    this.name = name;
    this.config = config;
    this.site = site;
    this.parent = parent;
    this.tables = { cluster: name, ...config.seconds };
    this.last = lastOf(site, name);
  }

  /** @throws Error when the file has no such node, which its rules have refused. */
  node(host: string): SearchNode {
    const node = this.config.nodes[host];
    if (!node) throw new Error(`${host} is no node of ${this.name}`);
    return node;
  }

  /** Who asks for steps that concern the whole cluster. */
  asker(without?: string): string | undefined {
    return askerOf(this.config, without, (host) => this.site.isLost(host));
  }

  /** Nothing dials a lost node: a transition that it is part of stays as it is. */
  transition({ kind, wanted = {}, ...args }: Goal): Transition {
    const decide: Decide = {
      in: decides,
      kind,
      wanted: () => ({ cluster: this.name, ...wanted }),
      probe: (_, { component }) => ["search/probe", String(component), this.name],
    };
    const declared = this.site.transition({ ...args, decide, whenLost: "freeze" }, { parent: this.parent });
    this.transitions.push(declared);
    return declared;
  }
}

function lastOf(site: Site, name: string): SearchExpected | undefined {
  const { operated } = (site.last ?? {}) as {
    readonly operated?: Readonly<
      Record<string, Readonly<Record<string, { readonly expected?: SearchExpected }>>>
    >;
  };
  return operated?.searchClusters?.[name]?.expected;
}
