import type { Problem } from "../../config/problems.ts";
import type { SearchCluster } from "./config.ts";
import type { SearchExpected } from "./verify.ts";

/** No release before this one had search clusters. */
export const earlierSearch = (): Readonly<Record<string, SearchExpected>> => ({});

/** Refuses a node whose line is deleted while it runs, another engine, and other ports of a cluster that runs. */
export function goneFromSearch(
  name: string,
  { engine, port, nodes, writers = {}, paused }: SearchExpected,
  now: SearchCluster | undefined,
): Problem[] {
  const path = ["searchClusters", name];
  const dropped = Object.entries(nodes)
    .filter(([host, { is }]) => is !== "out" && !Object.hasOwn(now?.nodes ?? {}, host))
    .map(([host]): Problem => ({
      path: [...path, "nodes", host],
      text: "missing, but this stack runs a node there; set `is: out` and update, then delete the line",
    }));
  const unresumed = Object.keys(paused ? writers : {})
    .filter((host) => !Object.hasOwn(now?.writers ?? {}, host))
    .map((host): Problem => ({
      path: [...path, "writers", host],
      text: "missing, but its units are paused; take `paused` away and update, then delete the line",
    }));
  if (!now) return [...dropped, ...unresumed];
  return [
    ...dropped,
    ...unresumed,
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
