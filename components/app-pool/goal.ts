import type { Membership } from "./config.ts";

/** What is wanted of the servers of a pool, as far as the order of a release depends on it. */
export interface PoolGoal {
  readonly servers: Readonly<Record<string, Membership>>;
  readonly minHealthy: number;
  /** How many servers get a release first, and how many at once then. */
  readonly canary: number;
  readonly groupSize: number;
}

/** Servers that releases go to, by name: what is out is left alone. */
export function deployed({ servers }: PoolGoal): string[] {
  return Object.keys(servers)
    .filter((name) => servers[name] !== "out")
    .sort();
}

/** Servers that serve users. */
export function serving({ servers }: PoolGoal): string[] {
  return Object.keys(servers)
    .filter((name) => servers[name] === "in")
    .sort();
}

/** How many servers may be out of traffic at once. */
export function spare(goal: PoolGoal): number {
  return Math.max(0, serving(goal).length - goal.minHealthy);
}

/**
 * Who gets a release with whom, in order: the canary, then groups as large as the spare capacity allows. A pool
 * without spare capacity goes on one by one, and its balancers refuse.
 */
export function groupsOf(goal: PoolGoal): string[][] {
  const most = Math.max(1, spare(goal));
  const groups: string[][] = [];
  let rest = deployed(goal);
  while (rest.length > 0) {
    const size = Math.min(most, groups.length === 0 ? goal.canary : goal.groupSize);
    groups.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return groups;
}

/** What to put into DNS for a site and for customers' own names (rows 001-018, 001-019). */
export function zoneLines(site: string, addresses: readonly string[]): string[] {
  return [
    ...addresses.map((address) => `${site}. A ${address}`),
    ...addresses.map((address) => `a customer's own name: A ${address}`),
    `a customer's own name, slower by one lookup: CNAME ${site}.`,
  ];
}

/** An address that the site is served by besides, until a day. */
export interface PoolAddress {
  readonly balancer: string;
  readonly deadline: string;
  readonly released: boolean;
}

/** What is left to do for each address by those who own networks and customers, in the order of row 001-109. */
export function addressLines(addresses: Readonly<Record<string, PoolAddress>>): string[] {
  return Object.entries(addresses)
    .sort()
    .map(([address, { balancer, deadline, released }]) =>
      released
        ? `${address}: unbound at ${balancer}; now take it off the machine, end its NAT, then remove its entries from the ACLs`
        : `${address}: served by ${balancer}; its users were asked to leave until ${deadline}, and who is left is named by setting released`,
    );
}
