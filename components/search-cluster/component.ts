import * as pulumi from "@pulumi/pulumi";
import type { Operated, Site } from "../../transition/site.ts";
import type { Component } from "../system.ts";
import { Cluster } from "./cluster.ts";
import type { SearchCluster as SearchConfig } from "./config.ts";
import { nodesThat } from "./goal.ts";
import { form, hosts } from "./hosts.ts";
import { indexes } from "./indexes/declare.ts";
import { enter, leave, looksAt } from "./member.ts";
import { declarePanic, panicExpected } from "./panic/declare.ts";
import { roll } from "./roll.ts";
import { snapshot } from "./snapshots/declare.ts";
import { expectedSnapshots } from "./snapshots/verify.ts";
import type { SearchExpected } from "./verify.ts";

/**
 * A search cluster. Hosts get their software and settings, then the cluster is formed, once. Each node enters or leaves by
 * a transition of its own. A roll restarts all nodes one after the other, for another version, other settings or a reason.
 */
export class SearchCluster extends pulumi.ComponentResource {
  readonly operated: Operated<SearchExpected>;
  readonly #cluster: Cluster;

  constructor(name: string, config: SearchConfig, site: Site, opts?: pulumi.ComponentResourceOptions) {
    super("changeover:index:SearchCluster", name, { version: config.version }, opts);
    const cluster = new Cluster(name, config, site, this);
    this.#cluster = cluster;
    const those = (is: string): readonly string[] => nodesThat(config.nodes, (node) => node.is === is);

    const ready = hosts(cluster, site.after);
    const formed = form(cluster, [ready.finished]);
    const entered = those("in").map((host) => enter(cluster, host, [formed.finished]).finished);
    const panic = declarePanic(cluster, [formed.finished]);
    const rolled = roll(cluster, [...entered, ...panic.rescued]);
    // Before nodes are drained: no shard moves while a snapshot runs.
    const kept = snapshot(cluster, [rolled.finished]) ?? rolled;
    // One after the other: two drains at once would count on each other's room.
    const left = [...those("drained"), ...those("out")].reduce<readonly pulumi.Resource[]>(
      (before, host) => [leave(cluster, host, before).finished],
      [kept.finished],
    );
    const finished = indexes(cluster, left);
    const all = Object.keys(config.nodes);
    this.operated = {
      hosts: [...new Set([...all, ...panic.hosts])],
      marks: cluster.transitions.flatMap(({ marks }) => marks),
      finished: [...finished, ...panic.finished],
      outcome: site.outcome(all, "no step runs on it, and the other nodes keep their version and settings"),
      expected: this.#expected(),
      outputs: { searchClusters: this.#places() },
    };
    this.registerOutputs();
  }

  #expected(): SearchExpected {
    const { engine, version, port, nodes, bounce, indexes: wanted } = this.#cluster.config;
    const drained = nodesThat(nodes, ({ is }) => is === "drained");
    return {
      ...panicExpected(this.#cluster),
      engine,
      version,
      port,
      nodes: Object.fromEntries(
        Object.entries(nodes).map(([host, { is, zone, roles }]) => [host, { is, zone, roles }]),
      ),
      ...(bounce === undefined ? {} : { bounce }),
      ...expectedSnapshots(this.#cluster.config),
      indexes: Object.fromEntries(Object.entries(wanted).map(([alias, index]) => [alias, index.version])),
      drains: Object.fromEntries(drained.map((host) => [host, looksAt(this.#cluster, host)])),
    };
  }

  /** Where programs ask the cluster: the coordinator first, and each node that serves. */
  #places(): pulumi.Output<Record<string, readonly string[]>> {
    const { name, config, site } = this.#cluster;
    const serving = nodesThat(config.nodes, ({ is }) => is === "in");
    const order = [...serving].sort(
      (a, b) => Number(b === config.coordinator) - Number(a === config.coordinator),
    );
    return pulumi.all(order.map((host) => site.member(host).host.address)).apply((addresses) => ({
      [name]: addresses.map((address) => `http://${address}:${String(config.port)}`),
    }));
  }
}

/** How the estate declares a search cluster. */
export const component: Component<SearchConfig, SearchExpected> = {
  declare: (name, config, site) => new SearchCluster(name, config, site).operated,
};
