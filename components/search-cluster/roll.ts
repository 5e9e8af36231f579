import type * as pulumi from "@pulumi/pulumi";
import { keepersOf } from "../../transition/table.ts";
import type { Transition } from "../../transition/transition.ts";
import type { Cluster } from "./cluster.ts";
import { compareVersions } from "./decide.ts";
import { bounceOrder, isSpot, settingsOf } from "./goal.ts";
import { rowsBeforeRoll } from "./snapshots/table.ts";
import { rollStory } from "./stories.ts";
import { rollTable } from "./table.ts";

/** All nodes restart one after the other: for another version, other settings, or the reason of `bounce`. */
export function roll(cluster: Cluster, after: readonly pulumi.Resource[]): Transition {
  const { config } = cluster;
  const order = bounceOrder(config);
  const was = cluster.last?.version;
  const upgrades = was !== undefined && compareVersions(config.version, was) > 0;
  return cluster.transition({
    component: cluster.name,
    transition: "roll",
    kind: "roll",
    hosts: order,
    sets: {
      asker: [cluster.asker() ?? order[0] ?? ""],
      ...Object.fromEntries(order.map((host) => [`node-${host}`, [host]])),
    },
    story: rollStory(upgrades),
    // Nodes are no part of the goal: one that comes or goes restarts no other one.
    keepers: keepersOf<string>({
      version: config.version,
      sha256: config.versions[config.version]?.sha256,
      ...settingsOf(config),
      bounce: config.bounce,
    }),
    table: rollTable({
      ...cluster.tables,
      order,
      spot: order.filter((host) => isSpot(config, host)),
      upgrades,
      clears: config.clearSpot,
      first: rowsBeforeRoll(cluster.name, config.snapshots),
    }),
    settings: { "search/bounce-node": () => (config.clearSpot ? ["clear"] : []) },
    wanted: {
      engine: config.engine,
      version: config.version,
      nodes: order,
      accepted: Object.keys(config.accept),
      singleManager: config.singleManager !== undefined,
    },
    after,
  });
}
