import {
  type Check,
  type Decision,
  decideEach,
  isOpen,
  type Look,
  type RecordFacts,
  type Wanted,
} from "../../transition/decide.ts";

/** What a balancer says: `scripts/haproxy/probe.py`. */
export interface BalancerFacts extends RecordFacts {
  readonly version: string | null;
  readonly running: boolean;
  /** By server: HAProxy's own word for its state, the state that somebody gave it, and what is wanted of it. */
  readonly servers: Readonly<
    Record<string, { readonly status: string | null; readonly admin: string; readonly wanted: string | null }>
  >;
  /** By address of the site: the programs that listen there. */
  readonly serves: Readonly<Record<string, readonly string[]>>;
  /** Where its file and its socket say different things; null: nowhere. */
  readonly agrees: string | null;
  /** What is wrong with its socket; null: nothing. */
  readonly socket: string | null;
}

/** What a server says: `scripts/app/probe.py`. */
export interface ServerFacts extends RecordFacts {
  readonly current: string | null;
  readonly ready: boolean;
  /** What the application answered, in words. */
  readonly answer: string | null;
  readonly free_mib: number | null;
  /** Its addresses that are not private. */
  readonly public: readonly string[];
  /** Why the application can't log in to its database from this host; null: it can, or has none. */
  readonly database: string | null;
  /** Links of the release that runs which do not lead to their shared folder. */
  readonly links_wrong: readonly string[];
  /** By name: what can't be reached and why; null: it is reached. */
  readonly reach: Readonly<Record<string, string | null>>;
}

export type PoolFacts = BalancerFacts | ServerFacts;

/** What a transition of a pool wants, and the limits of the config. */
export interface PoolWanted extends Wanted {
  readonly pool: string;
  /** The hosts among the looks that are balancers. */
  readonly balancers: readonly string[];
  /** Servers that must be known to every balancer. */
  readonly known?: readonly string[];
  /** How many servers are taken out at once, and how many must be up besides. */
  readonly taken?: number;
  readonly minHealthy?: number;
  /** The server that comes into service, and the release that it is to run. */
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

/** Whether anybody serves yet: before the first server came in there is nothing to keep up. */
const serves = (facts: BalancerFacts): boolean =>
  Object.values(facts.servers).some(({ admin }) => admin === "ready");

const checks: readonly PoolCheck[] = [
  onBalancer(
    ({ running, socket }) =>
      running &&
      socket &&
      `does not answer as HAProxy at its socket: ${socket}; see docs/runbook.md, "a balancer does not answer"`,
  ),
  onBalancer(
    ({ agrees, running }) =>
      running &&
      agrees &&
      `says in its file and at its socket different things: ${agrees}; a person must decide which is right (docs/runbook.md)`,
  ),
  onBalancer((facts, { known = [] }) => {
    if (!facts.running) return false;
    const missing = known.filter((server) => !Object.hasOwn(facts.servers, server));
    return (
      missing.length > 0 &&
      `knows no server ${missing.join(", ")} (it knows: ${Object.keys(facts.servers).join(", ") || "none"}); let it be configured first: npx pulumi up`
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
      `has ${String(up(facts).length)} server(s) up (${up(facts).join(", ") || "none"}); with ${String(taken)} less it would be ${String(left)} (allowed: ${String(minHealthy)} or more); mend the others first, or lower minHealthy`
    );
  }),
  onServer(
    ({ free_mib: free }, { minFreeMiB = 0 }) =>
      free !== null &&
      free < minFreeMiB &&
      `has ${String(free)} MiB free for releases (needed: ${String(minFreeMiB)} MiB); make room`,
  ),
  onServer(({ reach }) => {
    const lost = Object.entries(reach).flatMap(([name, why]) => (why === null ? [] : [`${name}: ${why}`]));
    return lost.length > 0 && `does not reach what it needs (${lost.join("; ")}); mend that first`;
  }),
  onServer(
    ({ current }, { enters, release }, host) =>
      host === enters &&
      current !== release &&
      `runs ${current ?? "no release"}, the pool runs ${release ?? "none"}; it gets it by the next npx pulumi up`,
  ),
  onServer(
    ({ database }, { enters }, host) =>
      host === enters &&
      database !== null &&
      `can't log in to the application's database: ${database}; let it in there, or mend DATABASE_… in /etc`,
  ),
  onServer(
    ({ links_wrong: wrong }, { enters }, host) =>
      host === enters &&
      wrong.length > 0 &&
      `has not its shared folders: ${wrong.join("; ")}; see that the volume is mounted there`,
  ),
  onServer(
    ({ ready, answer }, { enters }, host) =>
      host === enters && !ready && `is not ready: ${answer ?? "the application gives no answer"}`,
  ),
];

/** Whether a transition of a pool may begin, from the looks at its balancers and servers (row 001-158). */
export function decidePool(looks: readonly Look<PoolFacts>[], wanted: PoolWanted): Decision {
  const { refusals, notes, epoch } = decideEach(looks, wanted, checks);
  return { refusals, notes: [...notes, ...looks.flatMap(noteOf)], epoch };
}

function noteOf({ host, facts }: Look<PoolFacts>): string[] {
  if (!facts) return [];
  if (!isBalancer(facts))
    return [
      ...(facts.current === null ? [] : [`${host} runs ${facts.current}`]),
      // Row 001-117: who knows it comes past the balancers. Nothing of a change fails by it.
      ...(facts.public.length === 0
        ? []
        : [`${host} has a public address (${facts.public.join(", ")}); take it away`]),
    ];
  const states = Object.entries(facts.servers).map(
    ([name, { status, admin }]) => `${name} ${status ?? admin}`,
  );
  return states.length === 0 ? [] : [`${host} sees ${states.join(", ")}`];
}

/** Where a preflight finds what decides. */
export const decides = import.meta.filename;
export const deciders = { pool: decidePool };
