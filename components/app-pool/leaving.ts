import type { Gone } from "../system.ts";
import type { AppPool } from "./config.ts";
import type { PoolExpected } from "./verify.ts";

/** Servers that the file drops while they are not out, and balancers, since users know their addresses. */
export function goneFromPool(name: string, before: PoolExpected, now: AppPool | undefined): Gone[] {
  const servers = Object.entries(before.servers)
    .filter(([host, wanted]) => wanted !== "out" && !Object.hasOwn(now?.servers ?? {}, host))
    .map(([host, wanted]): Gone => ({
      host,
      by: {
        path: ["appPools", name, "servers", host],
        text: `missing, but it was ${wanted} at the last update; allowed: drop a server that is out. Set it to out, update, then delete the line`,
      },
    }));
  const balancers = before.balancers
    .filter((host) => !now?.balancers.includes(host))
    .map((host): Gone => ({ host, by: "absent", mustBeSeen: true }));
  return [...servers, ...balancers];
}

/** The pools in the outputs of the previous release of this program. */
export function earlierPools(outputs: unknown): Readonly<Record<string, PoolExpected>> {
  const { expectedPools = [] } = outputs as { readonly expectedPools?: readonly PoolExpected[] };
  return Object.fromEntries(expectedPools.map((pool) => [pool.pool, pool]));
}
