import type { SearchCluster } from "../config.ts";
import { isManager, nodesThat, running } from "../goal.ts";

/** Components of their own. A host, an alias or a rule whose component would be called alike is refused. */
export const writersComponent = (cluster: string): string => `${cluster}-writers`;
export const queriesComponent = (cluster: string): string => `${cluster}-queries`;
export const deleteComponent = (cluster: string, rule: string): string => `${cluster}-${rule}-old`;

/** In which order nodes are looked at and started: managers first, since nothing goes on without one. */
export function rescueOrder({ nodes }: Pick<SearchCluster, "nodes">): readonly string[] {
  const managers = nodesThat(nodes, isManager);
  return [...running(nodes)].sort(
    (a, b) => Number(managers.includes(b)) - Number(managers.includes(a)) || (a < b ? -1 : 1),
  );
}
