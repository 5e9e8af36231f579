import {
  type Check,
  type Decision,
  decideEach,
  isOpen,
  type Look,
  type RecordFacts,
  type Wanted,
} from "../../transition/decide.ts";

/** Facts of a balancer, from `scripts/haproxy/probe.py`. */
export interface BalancerFacts extends RecordFacts {
  readonly version: string | null;
  readonly running: boolean;
  /** By server: its state in HAProxy's words, its administrative state, and the recorded membership. */
  readonly servers: Readonly<
    Record<string, { readonly status: string | null; readonly admin: string; readonly wanted: string | null }>
  >;
  /** By address of the site: the programs that listen on it. */
  readonly serves: Readonly<Record<string, readonly string[]>>;
  /** The difference between haproxy.cfg and HAProxy's socket; null: they agree. */
  readonly agrees: string | null;
  /** A server that HAProxy reaches elsewhere than its file says; null: there is none. */
  readonly misplaced: string | null;
  /** Why HAProxy's socket is not usable; null: it is usable. */
  readonly socket: string | null;
}

/** Facts of a server, from `scripts/app/probe.py`. */
export interface ServerFacts extends RecordFacts {
  readonly current: string | null;
  readonly ready: boolean;
  /** The application's answer to the readiness check. */
  readonly answer: string | null;
  /** Whether the process was started with the present configuration. */
  readonly runs_configured: boolean;
  /** Why other machines than the balancers may reach the application's port; null: they may not. */
  readonly firewall: string | null;
  readonly free_mib: number | null;
  /** Addresses of the server that the internet can reach. */
  readonly public: readonly string[];
  /** Why the application can't log in to its database from this host; null: it can, or it has no database. */
  readonly database: string | null;
  /** Links of the running release that do not lead to their shared folder. */
  readonly links_wrong: readonly string[];
  /** By name of a service: why the server can't reach it; null: the server reaches it. */
  readonly reach: Readonly<Record<string, string | null>>;
}

export type PoolFacts = BalancerFacts | ServerFacts;

/** Goal and limits of a transition of a pool. */
export interface PoolWanted extends Wanted {
  readonly pool: string;
  /** The hosts among the looks that are balancers. */
  readonly balancers: readonly string[];
  /** Servers that every balancer must know. */
  readonly known?: readonly string[];
  /** How many servers leave traffic at once, and how many other servers must be UP. */
  readonly taken?: number;
  readonly minHealthy?: number;
  /** The server that enters traffic, and the release that it must run. */
  readonly enters?: string;
  readonly release?: string;
  readonly minFreeMiB?: number;
}

type PoolCheck = Check<PoolFacts, PoolWanted>;

const isBalancer = (facts: PoolFacts): facts is BalancerFacts => Object.hasOwn(facts, "socket");

const onBalancer =
  (check: (facts: BalancerFacts, wanted: PoolWanted) => string | false | null | undefined): PoolCheck =>
  (facts, _, wanted) =>
    isBalancer(facts) && check(facts, wanted);

const onServer =
  (
    check: (facts: ServerFacts, wanted: PoolWanted, host: string) => string | false | null | undefined,
  ): PoolCheck =>
  (facts, { host }, wanted) =>
    !isBalancer(facts) && check(facts, wanted, host);

const up = (facts: BalancerFacts): string[] =>
  Object.keys(facts.servers).filter((name) => facts.servers[name]?.status?.startsWith("UP"));

/** Whether any server is in traffic: before the first server enters there is no capacity to keep. */
const serves = (facts: BalancerFacts): boolean =>
  Object.values(facts.servers).some(({ admin }) => admin === "ready");

const checks: readonly PoolCheck[] = [
  onBalancer(
    ({ running, socket }) =>
      running &&
      socket &&
      `has an unusable HAProxy socket: ${socket}; see docs/runbook.md, "a balancer does not answer"`,
  ),
  onBalancer(
    ({ agrees, running }) =>
      running &&
      agrees &&
      `has different states in its records, haproxy.cfg and HAProxy's socket: ${agrees}; decide which one is right (docs/runbook.md)`,
  ),
  onBalancer((facts, { known = [] }) => {
    if (!facts.running) return false;
    const missing = known.filter((server) => !Object.hasOwn(facts.servers, server));
    return (
      missing.length > 0 &&
      `has no server ${missing.join(", ")} in HAProxy (known: ${Object.keys(facts.servers).join(", ") || "none"}); configure the balancer first: npx pulumi up`
    );
  }),
  onBalancer((facts, { taken = 0, minHealthy = 0 }) => {
    const left = up(facts).length - taken;
    return (
      taken > 0 &&
      facts.running &&
      !isOpen(facts) &&
      serves(facts) &&
      left < minHealthy &&
      `has ${String(up(facts).length)} server(s) UP (${up(facts).join(", ") || "none"}); without ${String(taken)} of them ${String(left)} would stay UP (allowed: ${String(minHealthy)} or more); repair the servers that are not UP, or lower minHealthy`
    );
  }),
  onServer(
    ({ free_mib: free }, { minFreeMiB = 0 }) =>
      free !== null &&
      free < minFreeMiB &&
      `has ${String(free)} MiB free for releases (needed: ${String(minFreeMiB)} MiB); free some disk space`,
  ),
  onServer(({ reach }) => {
    const unreached = Object.entries(reach).flatMap(([name, why]) =>
      why === null ? [] : [`${name}: ${why}`],
    );
    return (
      unreached.length > 0 &&
      `can't reach services that it needs (${unreached.join("; ")}); repair the connection first`
    );
  }),
  onServer(
    ({ current }, { enters, release }, host) =>
      host === enters &&
      current !== release &&
      `runs ${current ?? "no release"}, but the pool runs ${release ?? "none"}; to give it the pool's release: npx pulumi up`,
  ),
  onServer(
    ({ database }, { enters }, host) =>
      host === enters &&
      database !== null &&
      `can't log in to the application's database: ${database}; admit the server there, or correct the DATABASE_… settings of the pool`,
  ),
  onServer(
    ({ links_wrong: wrong }, { enters }, host) =>
      host === enters &&
      wrong.length > 0 &&
      `lacks shared folders: ${wrong.join("; ")}; mount the volume there`,
  ),
  onServer(
    ({ ready, answer }, { enters }, host) =>
      host === enters && !ready && `is not ready: ${answer ?? "the application does not answer"}`,
  ),
];

/** Whether a transition of a pool may begin, from the looks at its balancers and servers. */
export function decidePool(looks: readonly Look<PoolFacts>[], wanted: PoolWanted): Decision {
  const { refusals, notes, epoch } = decideEach(looks, wanted, checks);
  return { refusals, notes: [...notes, ...looks.flatMap(noteOf)], epoch };
}

function noteOf({ host, facts }: Look<PoolFacts>): string[] {
  if (!facts) return [];
  if (!isBalancer(facts))
    return [
      ...(facts.current === null ? [] : [`${host} runs ${facts.current}`]),
      // A client that knows the address gets past the balancers. No change fails because of it.
      ...(facts.public.length === 0
        ? []
        : [
            `${host} has a public address (${facts.public.join(", ")}), so clients can bypass the balancers; remove the address`,
          ]),
    ];
  const states = Object.entries(facts.servers).map(
    ([name, { status, admin }]) => `${name} ${status ?? admin}`,
  );
  return states.length === 0 ? [] : [`${host} sees ${states.join(", ")}`];
}

/** The file where a preflight finds the decider. */
export const decides = import.meta.filename;
export const deciders = { pool: decidePool };
