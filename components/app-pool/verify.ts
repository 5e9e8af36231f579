import type { Membership } from "./config.ts";
import type { LookRequest, Seen } from "../system.ts";
import type { BalancerFacts, PoolFacts, ServerFacts } from "./decide.ts";
import type { Look } from "../../transition/decide.ts";

/** What the state says of a pool. */
export interface PoolExpected {
  readonly pool: string;
  readonly balancers: readonly string[];
  readonly servers: Readonly<Record<string, Membership>>;
  readonly edge: Edge;
}

type Edge = "haproxy" | "apache";

const programs: Readonly<Record<Edge, string>> = { haproxy: "haproxy", apache: "apache2" };

/** Where the balancers differ from what is wanted of the servers, a line each; empty: nowhere. */
export function poolDifferences(
  { servers, edge }: PoolExpected,
  looks: readonly Look<BalancerFacts>[],
): string[] {
  return looks.flatMap(({ host, facts }) => {
    if (!facts) return [];
    const listen = Object.entries(facts.serves).flatMap(([bind, found]) =>
      found.join() === programs[edge]
        ? []
        : [`${bind} is served by ${found.join(" and ") || "nobody"}, and is to be by ${programs[edge]}`],
    );
    // While Apache serves HAProxy has nothing to say.
    if (edge === "apache") return listen.map((line) => `${host}: ${line}`);
    if (!facts.running) return [`${host}: HAProxy does not run; start it: systemctl start haproxy`];
    const wrong = [facts.socket, facts.agrees].flatMap((line) => line ?? []);
    const states = Object.entries(servers).flatMap(([name, wanted]) => {
      const status = facts.servers[name]?.status ?? "unknown to it";
      const serves = status.startsWith("UP");
      if (wanted === "in" && !serves) return [`${name} is to be in, but is ${status}`];
      if (wanted !== "in" && serves) return [`${name} is to be ${wanted}, but is ${status}`];
      return [];
    });
    return [...listen, ...wrong, ...states].map((line) => `${host}: ${line}`);
  });
}

/** What to look at on which host: each balancer, and each server that is to run the application. */
export const looksOfPool = (name: string, { balancers, servers }: PoolExpected): LookRequest[] => [
  ...balancers.map((host) => ({ host, probe: "haproxy/probe", words: [`${name}-release`, name] })),
  ...Object.keys(servers)
    .filter((host) => servers[host] !== "out")
    .map((host) => ({ host, probe: "app/probe", words: [`${name}-host-${host}`, name] })),
];

const isOfBalancer = (seen: Seen<PoolFacts>): seen is Seen<BalancerFacts> =>
  seen.request.probe === "haproxy/probe";

/** Where the hosts of a pool differ from the state, a line each, beyond their records. */
export function differencesOfPool(expected: PoolExpected, seen: readonly Seen<PoolFacts>[]): string[] {
  const balancers = seen.filter(isOfBalancer).map(({ look }) => look);
  const servers = seen.filter((one) => !isOfBalancer(one)) as readonly Seen<ServerFacts>[];
  return [
    ...poolDifferences(expected, balancers),
    ...servers.flatMap(({ look }) => ofServer(expected, look)),
  ];
}

/** Who serves users must be ready; a server in maintenance may be anything. */
function ofServer({ servers }: PoolExpected, { host, facts }: Look<ServerFacts>): string[] {
  if (!facts || servers[host] !== "in") return [];
  return [
    ...(facts.current === null ? ["runs no release; npx pulumi up gives it the one of its pool"] : []),
    ...(facts.ready
      ? []
      : [`is to be in, but is not ready: ${facts.answer ?? "the application gives no answer"}`]),
    ...facts.links_wrong,
  ].map((line) => `${host}: ${line}`);
}

/** What a host of a pool is now, in one line for the operator. */
export function describeInPool({ servers }: PoolExpected, seen: Seen<PoolFacts>): string {
  const { host, facts } = seen.look;
  if (!facts) return "gave no answer";
  if (!isOfBalancer(seen)) {
    const { current, ready, answer } = facts as ServerFacts;
    const state = ready ? "ready" : `not ready (${answer ?? "no answer"})`;
    return `${servers[host] ?? "out"}, runs ${current ?? "no release"}, ${state}`;
  }
  const { running, serves, servers: known } = facts as BalancerFacts;
  const binds = Object.entries(serves).map(
    ([bind, by]) => `${bind} is served by ${by.join(" and ") || "nobody"}`,
  );
  const states = Object.entries(known).map(([name, { status, admin }]) => `${name} ${status ?? admin}`);
  return [running ? "HAProxy runs" : "HAProxy does not run", ...binds, ...states].join(", ");
}
