import type * as pulumi from "@pulumi/pulumi";
import type { SiteTransitionArgs } from "../../transition/site.ts";
import { keepersOf } from "../../transition/table.ts";
import type { Transition } from "../../transition/transition.ts";
import type { Cluster } from "./cluster.ts";
import { isManager, nodeComponent } from "./goal.ts";
import { memberStory, progressStory } from "./stories.ts";
import { drainTable, enterTable, leaveTable, lostTable, progressTable } from "./table.ts";

interface Member {
  readonly host: string;
  readonly state: "in" | "drained" | "out";
  readonly table: SiteTransitionArgs["table"];
  readonly hosts: readonly string[];
  readonly settings: SiteTransitionArgs["settings"];
  readonly asker?: string;
  readonly after: readonly pulumi.Resource[];
}

/** A node serves. */
export const enter = (cluster: Cluster, host: string, after: readonly pulumi.Resource[]): Transition =>
  member(cluster, {
    host,
    state: "in",
    table: enterTable(cluster.tables),
    hosts: [host],
    settings: { "search/start-node": () => [cluster.config.bounce ?? "-"] },
    after,
  });

/** A node loses its shards, and stops if it is to leave. */
export function leave(cluster: Cluster, host: string, after: readonly pulumi.Resource[]): Transition {
  const { drain, bounce = "-" } = cluster.config;
  const settings = {
    "search/start-node": () => [bounce],
    "search/begin-drain": () => [String(drain.leaseHours * 3600), String(drain.mibPerSecond)],
    "search/show-drain": () => [],
    "search/wait-drained": () => [String(drain.waitMinutes)],
  };
  const node = cluster.node(host);
  if (node.is === "drained") {
    const table = drainTable(cluster.tables);
    const begun = member(cluster, { host, state: "drained", table, hosts: [host], settings, after });
    return progress(cluster, host, [begun.finished]);
  }
  const asker = cluster.asker(host) ?? host;
  const args = { ...cluster.tables, manager: isManager(node), waitMinutes: drain.waitMinutes };
  const isLost = cluster.site.isLost(host);
  return member(cluster, {
    host,
    state: "out",
    table: isLost ? lostTable(args) : leaveTable(args),
    hosts: isLost ? [asker] : [...new Set([host, asker])],
    settings,
    asker,
    after,
  });
}

function member(cluster: Cluster, { host, state, hosts, asker, ...how }: Member): Transition {
  const { zone, roles } = cluster.node(host);
  return cluster.transition({
    ...how,
    component: nodeComponent(cluster.name, host),
    transition: "member",
    kind: "member",
    hosts,
    story: memberStory(cluster.name, host, state),
    keepers: keepersOf<pulumi.Input<string>>({
      node: host,
      asker,
      state,
      zone,
      roles: roles.join("+"),
      ...cluster.site.machines(hosts.filter((name) => name === host)),
    }),
    wanted: { node: host, state, singleManager: cluster.config.singleManager !== undefined },
  });
}

/** While a drain runs each update looks at it: another look is another goal. */
const progress = (cluster: Cluster, host: string, after: readonly pulumi.Resource[]): Transition =>
  cluster.transition({
    component: nodeComponent(cluster.name, host),
    transition: "progress",
    kind: "member",
    hosts: [host],
    story: progressStory(cluster.name, host),
    keepers: keepersOf<pulumi.Input<string>>({ node: host, look: String(looksAt(cluster, host)) }),
    table: progressTable(cluster.tables),
    wanted: { node: host, state: "in", singleManager: true },
    after,
  });

/** How many updates have looked at a drain, this one counted. */
export const looksAt = ({ last }: Cluster, host: string): number =>
  last?.nodes[host]?.is === "drained" ? (last.drains[host] ?? 0) + 1 : 1;
