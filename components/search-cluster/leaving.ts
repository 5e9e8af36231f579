import type { Problem } from "../../config/problems.ts";
import type { Gone } from "../system.ts";
import type { SearchCluster } from "./config.ts";
import { tooEarly } from "./snapshots/rules.ts";
import type { SearchExpected } from "./verify.ts";

/** No release before this one had search clusters. */
export const earlierSearch = (): Readonly<Record<string, SearchExpected>> => ({});

/**
 * Refuses a node whose line is deleted while it runs, another engine, and other ports of a cluster that runs. When the whole
 * cluster is dropped, its nodes have the only data, so their hosts must be in `absent`, which refuses a node that runs.
 */
export function goneFromSearch(
  name: string,
  before: SearchExpected,
  now: SearchCluster | undefined,
): (Problem | Gone)[] {
  const { engine, port, nodes } = before;
  const path = ["searchClusters", name];
  const unresumed = Object.keys(before.paused ? (before.writers ?? {}) : {})
    .filter((host) => !Object.hasOwn(now?.writers ?? {}, host))
    .map((host): Problem => ({
      path: [...path, "writers", host],
      text: "missing, but its units are paused; take `paused` away and update, then delete the line",
    }));
  if (!now)
    return [
      ...unresumed,
      ...Object.entries(nodes)
        .filter(([, { is }]) => is !== "out")
        .map(([host]): Gone => ({ host, by: "absent", mustBeSeen: true })),
    ];
  const dropped = Object.entries(nodes)
    .filter(([host, { is }]) => is !== "out" && !Object.hasOwn(now.nodes, host))
    .map(([host]): Problem => ({
      path: [...path, "nodes", host],
      text: "missing, but this stack runs a node there; set `is: out` and update, then delete the line",
    }));
  return [
    ...dropped,
    ...unresumed,
    ...tooEarly(name, before, now),
    ...(now.engine === engine
      ? []
      : [
          {
            path: [...path, "engine"],
            text: `${now.engine}, but the nodes hold data of ${engine}; allowed: ${engine}, or a cluster with another name`,
          },
        ]),
    ...(now.port === port
      ? []
      : [
          {
            path: [...path, "port"],
            text: `${String(now.port)}, but clients use ${String(port)}; allowed: ${String(port)}, or a cluster with another name`,
          },
        ]),
  ];
}
