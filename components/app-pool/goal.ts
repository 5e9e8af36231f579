import type { Membership } from "./config.ts";

/** The part of a pool's goal that decides the order of a release. */
export interface PoolGoal {
  readonly servers: Readonly<Record<string, Membership>>;
  readonly minHealthy: number;
  /** How many servers get a release first, and how many at once after them. */
  readonly canary: number;
  readonly groupSize: number;
}

/** Servers that get releases, sorted by name: all that are not out. */
export function deployed({ servers }: PoolGoal): string[] {
  return Object.keys(servers)
    .filter((name) => servers[name] !== "out")
    .sort();
}

/** Servers that serve users, sorted by name. */
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
 * The groups of servers that get a release together, in order: the canary, then groups as large as the spare capacity
 * allows. Without spare capacity a group is one server, and the balancers refuse to drain it.
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

/** DNS records for a site and for customers' own names. */
export function zoneLines(site: string, addresses: readonly string[]): string[] {
  return [
    ...addresses.map((address) => `${site}. A ${address}`),
    ...addresses.map((address) => `a customer's own name: A ${address}`),
    `a customer's own name, with one lookup more: CNAME ${site}.`,
  ];
}

/** A further address of the site, with the day by which its users were asked to move. */
export interface PoolAddress {
  readonly balancer: string;
  readonly deadline: string;
  readonly released: boolean;
}

/** The next task for each address, for the owners of networks and of customers' contacts. */
export function addressLines(addresses: Readonly<Record<string, PoolAddress>>): string[] {
  return Object.entries(addresses)
    .sort()
    .map(([address, { balancer, deadline, released }]) =>
      released
        ? `${address}: released on ${balancer}; next: remove it from the machine, end its NAT, remove it from the ACLs`
        : `${address}: served by ${balancer} until its users have moved (deadline: ${deadline}); to see the remaining ones, set released: true`,
    );
}
