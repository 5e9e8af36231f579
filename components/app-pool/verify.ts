import type { Membership } from "./config.ts";
import type { BalancerFacts } from "./decide.ts";
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
  return looks.flatMap(({ host, facts, failure }) => {
    if (!facts) return [`${host}: ${failure ?? "gave no answer"}`];
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
