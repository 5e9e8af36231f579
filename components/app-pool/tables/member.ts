import type { Row, Table } from "../../../transition/table.ts";
import type { Membership } from "../config.ts";

/** Words of a pool's scripts that decide nothing: names that never change, and limits. */
export interface PoolLimits {
  readonly pool: string;
  readonly drainSeconds: number;
  readonly policy: "fail" | "cut";
  readonly minHealthy: number;
  readonly readySeconds: number;
  readonly upSeconds: number;
  readonly bakeSeconds: number;
  readonly groupBakeSeconds: number;
  readonly path: string;
  readonly host: string;
}

/**
 * A balancer undoes a drain by itself when no later step comes within these seconds, besides the time that the drain or
 * the enter may take.
 */
export const undoSeconds = 900;

/** What a step may take on top of its own waits. */
export const marginSeconds = 60;

/** A drained server is upgraded in less time than its balancers wait before they undo the drain. */
export const upgradeSeconds = undoSeconds - marginSeconds;

/** One server leaves traffic at every balancer. */
export const drain = (limits: PoolLimits, server: string): Row => ({
  phase: "drain",
  name: `drain-${server}`,
  script: "haproxy/drain",
  on: "balancers",
  says: `${server} is drained: no new request reaches ${server}, and its last session has ended`,
  limits: [
    limits.pool,
    String(limits.drainSeconds),
    limits.policy,
    String(limits.minHealthy),
    String(undoSeconds),
  ],
  words: () => [server],
  beside: true,
  deadlineSeconds: limits.drainSeconds + marginSeconds,
});

/** One server comes into traffic at every balancer, and is watched there. */
export const enter = (limits: PoolLimits, server: string, bakeSeconds: number): Row => ({
  phase: "enter",
  name: `enter-${server}`,
  script: "haproxy/enter",
  on: "balancers",
  says: `${server} is UP at the balancer and served well while watched`,
  limits: [
    limits.pool,
    String(limits.upSeconds),
    String(bakeSeconds),
    limits.path,
    limits.host,
    String(undoSeconds),
  ],
  words: () => [server],
  beside: true,
  verdict: true,
  deadlineSeconds: limits.upSeconds + bakeSeconds + marginSeconds,
});

/** The last row of a transition with verdicts. @param subject what is judged. @param outcome what is true after a bad one. */
export const verdict = (subject: string, outcome: string): Row => ({
  phase: "verdict",
  script: "pool/verdict",
  on: "operator",
  by: "operator",
  says: `only if ${subject} is bad: ${outcome}, and the update fails`,
  when: (bad) => bad.length > 0,
  deadlineSeconds: 30,
});

/** One server comes into the pool once it is ready, or leaves it without a cut session. */
export function memberTable(limits: PoolLimits, server: string, wanted: Membership): Table {
  const want: Row = {
    phase: "want",
    name: "want",
    script: "haproxy/record-membership",
    on: "balancers",
    says: `the balancer has recorded the wanted state of ${server}: ${wanted}`,
    limits: [limits.pool],
    words: () => [wanted, server],
    deadlineSeconds: 30,
  };
  if (wanted !== "in") return [want, drain(limits, server)];
  return [
    want,
    enter(limits, server, limits.groupBakeSeconds),
    verdict(server, `no balancer sends ${server} a request`),
  ];
}

/**
 * The system packages of one server. They are downloaded while the server serves, and upgraded while it is drained. With
 * a node of a cache on the server, every client of the cache must reach another node first.
 */
export function upgradeTable(limits: PoolLimits, server: string, cache?: string): Table {
  const otherNodes: Row = {
    phase: "cache",
    name: "cache-others",
    script: "memcached/require-other-nodes",
    on: "clients",
    reads: true,
    says: `every client of the cache reaches a node on another host than ${server}`,
    limits: [cache ?? ""],
    deadlineSeconds: 60,
  };
  return [
    {
      phase: "fetch",
      name: "fetch",
      script: "app/fetch-packages",
      on: "server",
      says: "the new system packages are downloaded; nothing is installed yet",
      deadlineSeconds: 1800,
    },
    ...(cache === undefined ? [] : [otherNodes]),
    drain(limits, server),
    {
      phase: "upgrade",
      name: "upgrade",
      script: "app/upgrade-packages",
      on: "server",
      says: "the system packages are upgraded and none is removed; the application is restarted and ready",
      limits: [limits.pool, String(limits.readySeconds)],
      verdict: true,
      deadlineSeconds: upgradeSeconds,
    },
    { ...enter(limits, server, limits.groupBakeSeconds), when: (bad) => bad.length === 0 },
    verdict(server, `no balancer sends ${server} a request, the round ends`),
  ];
}
