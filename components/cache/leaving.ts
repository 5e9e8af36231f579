import type { Problem } from "../../config/problems.ts";
import type { Cache } from "./config.ts";
import type { CacheExpected } from "./verify.ts";

/** The caches in the outputs of the release before this one. */
export const earlierCaches = (outputs: unknown): Readonly<Record<string, CacheExpected>> =>
  (outputs as { readonly caches?: Readonly<Record<string, CacheExpected>> }).caches ?? {};

/**
 * Refuses two changes. A node whose line is deleted while it is `in`: its memcached would run for ever. A new port for a
 * running cache: its nodes change in turn, and the clients would lose each of them.
 */
export function goneFromCache(
  name: string,
  { port, nodes }: CacheExpected,
  now: Cache | undefined,
): Problem[] {
  const serves = Object.values(nodes).includes("in");
  const dropped = Object.entries(nodes)
    .filter(([host, state]) => state === "in" && !Object.hasOwn(now?.nodes ?? {}, host))
    .map(([host]): Problem => ({
      path: ["caches", name, "nodes", host],
      text: "missing, but this stack still runs memcached there; set it to `out` and update, then delete the line",
    }));
  if (!now || now.port === port || !serves) return dropped;
  return [
    ...dropped,
    {
      path: ["caches", name, "port"],
      text: `${String(now.port)}, but the clients use ${String(port)} and would lose each node in turn; allowed: ${String(port)}, or a cache with another name`,
    },
  ];
}
