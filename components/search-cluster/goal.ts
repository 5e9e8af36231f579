import { prefixed } from "../../transition/table.ts";
import type { SearchCluster, SearchNode } from "./config.ts";

/** The component of one node: its records on the host have this name. The name of a cluster has no hyphen. */
export const nodeComponent = (cluster: string, host: string): string => `${cluster}-${host}`;

/** Names of the nodes in a state, in the order of their names. */
export const nodesThat = (
  nodes: SearchCluster["nodes"],
  is: (node: SearchNode) => boolean,
): readonly string[] =>
  Object.keys(nodes)
    .filter((host) => nodes[host] !== undefined && is(nodes[host]))
    .sort();

/** Nodes that run: in or drained. */
export const running = (nodes: SearchCluster["nodes"]): readonly string[] =>
  nodesThat(nodes, ({ is }) => is !== "out");

/** Whether a node votes. */
export const isManager = ({ roles }: SearchNode): boolean => roles.includes("manager");

const isData = ({ roles }: SearchNode): boolean => roles.includes("data");

/** Whether a node is in a spot zone and has no vote. */
export function isSpot({ nodes, spotZones }: SearchCluster, host: string): boolean {
  const node = nodes[host];
  return node !== undefined && spotZones.includes(node.zone) && !isManager(node);
}

/**
 * In which order nodes are bounced: nodes of spot zones, then other data nodes, then those without data, and managers
 * last, so that the manager's role moves once.
 */
export function bounceOrder(cluster: SearchCluster): readonly string[] {
  const { nodes } = cluster;
  const rank = (host: string): number => {
    const node = nodes[host];
    if (!node) return 0;
    if (isManager(node)) return isData(node) ? 3 : 4;
    return isSpot(cluster, host) ? 0 : isData(node) ? 1 : 2;
  };
  return [...running(nodes)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** Who asks the cluster for steps that concern all of it: the coordinator, or the first node that runs. */
export function askerOf(
  { nodes, coordinator }: SearchCluster,
  without?: string,
  isLost: (host: string) => boolean = () => false,
): string | undefined {
  const able = running(nodes).filter((host) => host !== without && !isLost(host));
  return coordinator !== undefined && able.includes(coordinator) ? coordinator : able[0];
}

/** Where a cluster keeps its data. */
export const dataFolder = (name: string, data: string | undefined): string => data ?? `/var/lib/${name}`;

/** What the file of every node says alike: another value is a restart of every node. */
export const settingsOf = (config: SearchCluster): Record<string, string> => ({
  ...prefixed("set.", config.settings),
  heap_mib: String(config.heapMiB),
  coordinator_heap_mib: String(config.coordinatorHeapMiB),
  ...(config.snapshots ? { repo: config.snapshots.location } : {}),
});

/** The heap of each node, MiB. */
export const heaps = ({ nodes, heapMiB, coordinatorHeapMiB }: SearchCluster): Record<string, number> => {
  const data = nodesThat(nodes, isData);
  return Object.fromEntries(
    running(nodes).map((host) => [host, data.includes(host) ? heapMiB : coordinatorHeapMiB]),
  );
};
