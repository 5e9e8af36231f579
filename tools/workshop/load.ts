import { Agent, request } from "node:http";
import { parseArgs } from "node:util";

/** What is asked, how often, and over how many connections. */
export interface LoadOptions {
  /** Addresses such as `http://10.77.0.2`; connections take turns over them. */
  readonly targets: readonly string[];
  /** The name of the site, when it is not the address. */
  readonly host?: string;
  readonly perSecond?: number;
  /** Users: each keeps one connection and one session. More are made while all of them wait. */
  readonly connections?: number;
  readonly path?: string;
  readonly slowPath?: string;
  /** The share of slow requests; chance decides which, so that no server gets all of them. */
  readonly slowShare?: number;
  /** A request without an answer for so long has failed. */
  readonly limitSeconds?: number;
  /** A number from 0 to 1, for tests. */
  readonly chance?: () => number;
}

/** One request that failed. */
export interface Failure {
  readonly at: number;
  readonly path: string;
  readonly reason: string;
  readonly ms: number;
}

/** What users saw over one stretch of time. */
export interface LoadReport {
  readonly seconds: number;
  readonly ok: number;
  readonly failed: number;
  /** Failures by reason: `closed`, `refused`, `timeout`, `answered 502`… */
  readonly reasons: Readonly<Record<string, number>>;
  /** Good answers by the server and by the revision that gave them. */
  readonly byServer: Readonly<Record<string, number>>;
  readonly byRevision: Readonly<Record<string, number>>;
  /** Sessions that a server did not find again. */
  readonly sessionsLost: number;
  /** Sessions that were found as they were some visits ago. */
  readonly sessionsBehind: number;
  /** In ms from the moment at which a request was due; slow requests are left out. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
  /** The longest time between two good answers, in ms. */
  readonly gapMs: number;
}

interface Ended {
  readonly at: number;
  readonly ms: number;
  readonly path: string;
  readonly isSlow: boolean;
  readonly reason?: string;
  readonly server?: string;
  readonly revision?: string;
  readonly session?: "anew" | "behind";
}

interface User {
  readonly target: URL;
  readonly agent: Agent;
  busy: boolean;
  cookie?: string;
  visits: number;
}

const reasonsOf: Readonly<Record<string, string>> = {
  ECONNRESET: "closed",
  EPIPE: "closed",
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  ETIMEDOUT: "timeout",
};

/** Why a request failed, in the words of a report. */
export function reasonOf(error: NodeJS.ErrnoException): string {
  return reasonsOf[error.code ?? ""] ?? error.code ?? error.message;
}

/** The value below which a share of sorted numbers lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

const rounded = (ms: number) => Math.round(ms * 10) / 10;

function countsOf(names: readonly (string | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** What happened between two moments. */
export function reportOf(ended: readonly Ended[], from: number, to: number): LoadReport {
  const good = ended.filter(({ reason }) => reason === undefined);
  const failed = ended.flatMap(({ reason }) => reason ?? []);
  const times = good
    .filter(({ isSlow }) => !isSlow)
    .map(({ ms }) => ms)
    .sort((a, b) => a - b);
  // After the last request was sent only slow answers are still to come.
  const moments = [from, ...good.map(({ at }) => at).filter((at) => at < to), to];
  return {
    seconds: rounded((to - from) / 1000),
    ok: good.length,
    failed: failed.length,
    reasons: countsOf(failed),
    byServer: countsOf(good.map(({ server }) => server)),
    byRevision: countsOf(good.map(({ revision }) => revision)),
    sessionsLost: ended.filter(({ session }) => session === "anew").length,
    sessionsBehind: ended.filter(({ session }) => session === "behind").length,
    latency: {
      p50: rounded(quantile(times, 0.5)),
      p99: rounded(quantile(times, 0.99)),
      max: rounded(times.at(-1) ?? 0),
    },
    gapMs: Math.max(...moments.map((at, index) => rounded(at - (moments[index - 1] ?? at)))),
  };
}

/**
 * Users of a site: so many requests a second whether or not the last ones were answered, over kept connections, and
 * never asked again. A connection that is closed under a request is a failure, as an answer of 500 and more is.
 */
export class Load {
  readonly #options: Required<Omit<LoadOptions, "host">> & { readonly host: string | undefined };
  readonly #users: User[] = [];
  readonly #ended: Ended[] = [];
  readonly #open = new Set<Promise<void>>();
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped: number | undefined;

  constructor({ host, ...options }: LoadOptions) {
    this.#options = {
      host,
      perSecond: 200,
      connections: 40,
      path: "/",
      slowPath: "/slow?s=2",
      slowShare: 0.01,
      limitSeconds: 10,
      chance: Math.random,
      ...options,
    };
    if (options.targets.length === 0) throw new Error("a load needs at least one target");
    for (let number = 0; number < this.#options.connections; number++) this.#addUser();
  }

  /** Begin; resolves after the first good answer. @throws past the limit. */
  async start(seconds = 10): Promise<void> {
    const begun = performance.now();
    let due = begun;
    const interval = 1000 / this.#options.perSecond;
    this.#timer = setInterval(
      () => {
        for (; due <= performance.now(); due += interval) this.#send(due);
      },
      Math.min(interval, 5),
    );
    while (!this.#ended.some(({ reason }) => reason === undefined)) {
      if (performance.now() - begun > seconds * 1000) {
        await this.stop();
        const { reasons } = this.since(begun);
        throw new Error(`no request was answered within ${seconds} s: ${JSON.stringify(reasons)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Send nothing more, and wait for what is open. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopped ??= performance.now();
    await Promise.all(this.#open);
    for (const { agent } of this.#users) agent.destroy();
  }

  /** A mark to report from: the time now. */
  mark(): number {
    return performance.now();
  }

  /** What has ended between a mark and now. */
  since(mark: number): LoadReport {
    return reportOf(
      this.#ended.filter(({ at }) => at > mark),
      mark,
      this.#stopped ?? performance.now(),
    );
  }

  /** When each server first gave a good answer of a revision after a mark, in ms from there. */
  firstBy(revision: string, mark: number): Readonly<Record<string, number>> {
    const first: Record<string, number> = {};
    for (const answer of this.#ended)
      if (answer.at > mark && answer.revision === revision && answer.server !== undefined)
        first[answer.server] ??= rounded(answer.at - mark);
    return first;
  }

  /** The requests that failed since a mark, one by one. */
  failures(mark = 0): readonly Failure[] {
    return this.#ended.flatMap(({ at, path, reason, ms }) =>
      reason !== undefined && at > mark ? [{ at, path, reason, ms: rounded(ms) }] : [],
    );
  }

  #addUser(): User {
    const { targets } = this.#options;
    const target = new URL(targets[this.#users.length % targets.length] ?? "");
    const user = {
      target,
      agent: new Agent({ keepAlive: true, maxSockets: 1 }),
      busy: false,
      visits: 0,
    };
    this.#users.push(user);
    return user;
  }

  /** The next one in turn who is not waiting, so that each connection is used again soon and none is closed as idle. */
  #freeUser(): User {
    for (let tried = 0; tried < this.#users.length; tried++) {
      const user = this.#users[this.#next++ % this.#users.length];
      if (user && !user.busy) return user;
    }
    return this.#addUser();
  }

  #send(due: number): void {
    const { slowShare, slowPath, path, chance } = this.#options;
    const isSlow = chance() < slowShare;
    const user = this.#freeUser();
    const asked = isSlow ? slowPath : path;
    user.busy = true;
    const open = this.#ask(user, asked).then((answer) => {
      user.busy = false;
      this.#open.delete(open);
      const at = performance.now();
      this.#ended.push({ at, ms: at - due, path: asked, isSlow, ...answer });
    });
    this.#open.add(open);
  }

  /** Ask once. Never rejects: whatever goes wrong is what the user saw. */
  #ask(user: User, path: string): Promise<Pick<Ended, "reason" | "server" | "revision" | "session">> {
    const { host, limitSeconds } = this.#options;
    const { hostname, port, host: own } = user.target;
    const headers = {
      Host: host ?? own,
      ...(user.cookie === undefined ? {} : { Cookie: user.cookie }),
    };
    return new Promise((resolve) => {
      const fail = (reason: string) => {
        resolve({ reason });
      };
      const asked = request({ hostname, port, path, headers, agent: user.agent }, (answer) => {
        answer.on("error", (error) => {
          fail(reasonOf(error));
        });
        answer.on("end", () => {
          clearTimeout(timer);
          const status = answer.statusCode ?? 0;
          if (!answer.complete) fail("closed");
          else if (status < 200 || status >= 400) fail(`answered ${status}`);
          else resolve({ ...this.#signed(answer.headers), session: this.#visited(user, answer.headers) });
        });
        answer.resume();
      });
      const timer = setTimeout(() => {
        fail("timeout");
        asked.destroy();
      }, limitSeconds * 1000);
      asked.on("error", (error) => {
        clearTimeout(timer);
        fail(reasonOf(error));
      });
      asked.end();
    });
  }

  #signed(headers: NodeJS.Dict<string | string[]>): { server?: string; revision?: string } {
    return { server: headers["x-server"]?.toString(), revision: headers["x-revision"]?.toString() };
  }

  /** Take note of the session; whether the one that was known has begun anew, or is not as new as it was. */
  #visited(user: User, headers: NodeJS.Dict<string | string[]>): Ended["session"] {
    const [cookie] = headers["set-cookie"] ?? [];
    if (cookie !== undefined) user.cookie = cookie.split(";")[0];
    if (headers["x-session"] === undefined) return undefined;
    const before = user.visits;
    user.visits = Number(headers["x-session"]);
    if (user.visits > before) return undefined;
    return user.visits === 1 ? "anew" : "behind";
  }
}

const help = `Ask a site so many times a second over kept connections, and report what its users saw.

Usage: node tools/workshop/load.ts [options] URL…

  --seconds N       how long; 30 when left out
  --per-second N    200 when left out
  --connections N   40 when left out
  --slow SHARE      of requests to --slow-path; 0.01 when left out
  --path, --slow-path, --host

Prints one line of JSON. Ends with 1 when a request failed.
`;

const numbers = {
  "per-second": "perSecond",
  connections: "connections",
  slow: "slowShare",
} as const;
const texts = { path: "path", "slow-path": "slowPath", host: "host" } as const;

/** The words of a command line as options of a load. @throws TypeError for an unknown one. */
export function loadOf(words: readonly string[]): { seconds: number; options: LoadOptions } {
  const names = ["seconds", ...Object.keys(numbers), ...Object.keys(texts)];
  const known: Record<string, { type: "string" }> = Object.fromEntries(
    names.map((name) => [name, { type: "string" }]),
  );
  const { values, positionals } = parseArgs({ args: [...words], allowPositionals: true, options: known });
  const taken = <T>(fields: Readonly<Record<string, string>>, read: (text: string) => T) =>
    Object.entries(fields).flatMap(([name, field]): [string, T][] => {
      const text = values[name];
      return text === undefined ? [] : [[field, read(text)]];
    });
  const options: Partial<LoadOptions> = Object.fromEntries<string | number>([
    ...taken(numbers, Number),
    ...taken(texts, String),
  ]);
  return { seconds: Number(values.seconds ?? 30), options: { ...options, targets: positionals } };
}

async function main(): Promise<number> {
  const words = process.argv.slice(2);
  if (words.includes("--help")) {
    console.log(help);
    return 0;
  }
  const asked = loadOf(words);
  const load = new Load(asked.options);
  await load.start();
  const mark = load.mark();
  await new Promise((resolve) => setTimeout(resolve, asked.seconds * 1000));
  await load.stop();
  const report = load.since(mark);
  console.log(JSON.stringify(report));
  return report.failed > 0 ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) {
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exitCode = 64;
  }
}
