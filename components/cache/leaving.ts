import type { Problem } from "../../config/problems.ts";
import type { Cache } from "./config.ts";
import type { CacheExpected } from "./verify.ts";

/** The caches in the outputs of the release before this one. */
export const earlierCaches = (outputs: unknown): Readonly<Record<string, CacheExpected>> =>
  (outputs as { readonly caches?: Readonly<Record<string, CacheExpected>> }).caches ?? {};

/**
 * Nodes that leave the file while their server runs: nobody would ever stop it. And a new port under an old name: one
 * node after the other would be gone for the clients.
 */
export function goneFromCache(
  name: string,
  { port, nodes }: CacheExpected,
  now: Cache | undefined,
): Problem[] {
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
}
