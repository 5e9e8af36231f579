import type { Gone } from "../system.ts";
import type { AppPool } from "./config.ts";
import type { PoolExpected } from "./verify.ts";

/** Servers that are dropped while they serve, and balancers, whose addresses users know. */
export function goneFromPool(name: string, before: PoolExpected, now: AppPool | undefined): Gone[] {
  const servers = Object.entries(before.servers)
    .filter(([host, wanted]) => wanted !== "out" && !Object.hasOwn(now?.servers ?? {}, host))
    .map(([host, wanted]): Gone => ({
      host,
      by: {
        path: ["appPools", name, "servers", host],
        text: `missing, but it was ${wanted} at the last update; allowed: to leave by way of out; put it back as out, and take it out after the next update`,
      },
    }));
  const balancers = before.balancers
    .filter((host) => !now?.balancers.includes(host))
    .map((host): Gone => ({ host, by: "absent", mustBeSeen: true }));
  return [...servers, ...balancers];
}

/** The pools in the outputs of the release before this one. */
export function earlierPools(outputs: unknown): Readonly<Record<string, PoolExpected>> {
  const { expectedPools = [] } = outputs as { readonly expectedPools?: readonly PoolExpected[] };
  return Object.fromEntries(expectedPools.map((pool) => [pool.pool, pool]));
}
