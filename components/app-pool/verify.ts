import type { Membership } from "./config.ts";
import type { LookRequest, Seen } from "../system.ts";
import type { BalancerFacts, PoolFacts, ServerFacts } from "./decide.ts";
import type { Look } from "../../transition/decide.ts";

/** What the state expects of a pool. */
export interface PoolExpected {
  readonly pool: string;
  readonly balancers: readonly string[];
  readonly servers: Readonly<Record<string, Membership>>;
  readonly edge: Edge;
}

type Edge = "haproxy" | "apache";

const programs: Readonly<Record<Edge, string>> = { haproxy: "haproxy", apache: "apache2" };

/** Differences between the balancers and the wanted state, a line each; empty: none. */
export function poolDifferences(
  { pool, servers, edge }: PoolExpected,
  looks: readonly Look<BalancerFacts>[],
): string[] {
  return looks.flatMap(({ host, facts }) => {
    if (!facts) return [];
    const listen = Object.entries(facts.serves).flatMap(([bind, listeners]) =>
      listeners.join() === programs[edge]
        ? []
        : [`${bind} is served by ${listeners.join(" and ") || "no program"}, wanted is ${programs[edge]}`],
    );
    // While Apache serves, HAProxy's states mean nothing.
    if (edge === "apache") return listen.map((line) => `${host}: ${line}`);
    if (!facts.running) return [`${host}: HAProxy is not running; start it: systemctl start haproxy`];
    const misplaced =
      facts.misplaced === null
        ? []
        : [`${facts.misplaced}; to roll it: npx pulumi up --replace '**::${pool}-release-roll-id'`];
    const wrong = [...[facts.socket, facts.agrees].flatMap((line) => line ?? []), ...misplaced];
    const states = Object.entries(servers).flatMap(([name, wanted]) => {
      const status = facts.servers[name]?.status ?? "unknown to HAProxy";
      const serves = status.startsWith("UP");
      if (wanted === "in" && !serves) return [`${name} is ${status}, wanted is in`];
      if (wanted !== "in" && serves) return [`${name} is ${status}, wanted is ${wanted}`];
      return [];
    });
    return [...listen, ...wrong, ...states].map((line) => `${host}: ${line}`);
  });
}

/** The probes of a pool: each balancer, and each server that is not out. */
export const looksOfPool = (name: string, { balancers, servers }: PoolExpected): LookRequest[] => [
  ...balancers.map((host) => ({ host, probe: "haproxy/probe", words: [`${name}-release`, name] })),
  ...Object.keys(servers)
    .filter((host) => servers[host] !== "out")
    .map((host) => ({ host, probe: "app/probe", words: [`${name}-host-${host}`, name] })),
];

const isOfBalancer = (seen: Seen<PoolFacts>): seen is Seen<BalancerFacts> =>
  seen.request.probe === "haproxy/probe";

/** Differences between the hosts of a pool and the state beyond their records, a line each. */
export function differencesOfPool(expected: PoolExpected, seen: readonly Seen<PoolFacts>[]): string[] {
  const balancers = seen.filter(isOfBalancer).map(({ look }) => look);
  const servers = seen.filter((answer) => !isOfBalancer(answer)) as readonly Seen<ServerFacts>[];
  return [
    ...poolDifferences(expected, balancers),
    ...servers.flatMap(({ look }) => ofServer(expected, look)),
  ];
}

/** A server that is in must be ready; a server in maintenance may be in any state. */
function ofServer({ pool, servers }: PoolExpected, { host, facts }: Look<ServerFacts>): string[] {
  if (!facts) return [];
  const open = facts.firewall === null ? [] : [facts.firewall];
  if (servers[host] !== "in") return open.map((line) => `${host}: ${line}`);
  return [
    ...open,
    ...(facts.current !== null && facts.ready && !facts.runs_configured
      ? [
          `runs ${facts.current} with older settings; to roll the release with the present ones: npx pulumi up --replace '**::${pool}-release-roll-id'`,
        ]
      : []),
    ...(facts.current === null ? ["runs no release; to give it the pool's release: npx pulumi up"] : []),
    ...(facts.ready
      ? []
      : [`is not ready, wanted is in: ${facts.answer ?? "the application does not answer"}`]),
    ...facts.links_wrong,
  ].map((line) => `${host}: ${line}`);
}

/** The present state of a host of a pool, in one line. */
export function describeInPool({ servers }: PoolExpected, seen: Seen<PoolFacts>): string {
  const { host, facts } = seen.look;
  if (!facts) return "did not answer";
  if (!isOfBalancer(seen)) {
    const { current, ready, answer } = facts as ServerFacts;
    const state = ready ? "ready" : `not ready (${answer ?? "no answer"})`;
    return `${servers[host] ?? "out"}, runs ${current ?? "no release"}, ${state}`;
  }
  const { running, serves, servers: known } = facts as BalancerFacts;
  const binds = Object.entries(serves).map(
    ([bind, by]) => `${bind} is served by ${by.join(" and ") || "no program"}`,
  );
  const states = Object.entries(known).map(([name, { status, admin }]) => `${name} ${status ?? admin}`);
  return [running ? "HAProxy is running" : "HAProxy is not running", ...binds, ...states].join(", ");
}
