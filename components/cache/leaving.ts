import type { Problem } from "../../config/problems.ts";

/** What a stack said of its caches at its last update, as far as it decides what may leave. */
export type OperatedCaches = Readonly<
  Record<string, { readonly port: number; readonly nodes: Readonly<Record<string, string>> }>
>;

/** What a stack file wants of them. */
export type WantedCaches = Readonly<
  Record<string, { readonly port: number; readonly nodes: Readonly<Record<string, string>> }>
>;

/** The caches in the outputs of a stack; none in those of one that was never updated. */
export function cachesIn(outputs: unknown): OperatedCaches {
  return (outputs as { caches?: OperatedCaches } | null | undefined)?.caches ?? {};
}

/**
 * Nodes that leave the file while their server runs: nobody would ever stop it. And a new port under an old name: one
 * node after the other would be gone for the clients.
 */
export function cachesLeaving(operated: OperatedCaches, wanted: WantedCaches): Problem[] {
  return Object.entries(operated).flatMap(([name, { port, nodes }]): Problem[] => {
    const now = wanted[name];
    const serves = Object.values(nodes).includes("in");
    const gone = Object.entries(nodes)
      .filter(([host, state]) => state === "in" && !Object.hasOwn(now?.nodes ?? {}, host))
      .map(([host]): Problem => ({
        path: ["caches", name, "nodes", host],
        text: "missing, but this stack runs a server there; allowed: to leave by way of `out`; put it back as `out`, and take it out after the next update",
      }));
    if (!now || now.port === port || !serves) return gone;
    return [
      ...gone,
      {
        path: ["caches", name, "port"],
        text: `${String(now.port)}, but the clients use ${String(port)}, and would lose one node after the other; allowed: ${String(port)}, or a cache with another name`,
      },
    ];
  });
}
