import pg from "pg";

/** Where a writer writes. */
export interface WriterTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** What a client saw from outside, over one stretch of time. */
export interface WriterReport {
  /** Longest time between two acknowledgements, in ms. */
  readonly outageMs: number;
  readonly acknowledged: number;
  /** Writes that were sent and never answered: neither lost nor known to be there. */
  readonly unknown: number;
}

const limitMs = 500;
const reconnectMs = 10;
const table = "changeover_writer";

/**
 * A client that inserts a number every so often through the service address, each in a transaction of its own, and
 * counts one as written only when the server has acknowledged it. It limits connecting and every statement to 0.5 s
 * and comes back after 10 ms, so that the outage it sees is the pair's and not its own.
 */
export class Writer {
  readonly #target: WriterTarget;
  readonly #intervalMs: number;
  readonly #run = `${process.pid.toString(36)}${Date.now().toString(36)}`;
  readonly #acknowledged: { sequence: number; at: number }[] = [];
  readonly #unknown: number[] = [];
  #sequence = 0;
  #running = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(target: WriterTarget, perSecond = 50) {
    this.#target = target;
    this.#intervalMs = 1000 / perSecond;
  }

  /** Make the table and begin; resolves after the first acknowledgement. @throws past the limit. */
  async start(seconds = 10): Promise<void> {
    const client = await this.#connect();
    await client.query(
      `create table if not exists ${table} (run text, sequence bigint, primary key (run, sequence))`,
    );
    await client.end();
    this.#running = true;
    this.#ended = this.#loop();
    const deadline = performance.now() + seconds * 1000;
    while (this.#acknowledged.length === 0) {
      if (performance.now() > deadline)
        throw new Error(`no write was acknowledged within ${String(seconds)} s`);
      await pause(10);
    }
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#ended;
  }

  /** A mark to report from: the time now. */
  mark(): number {
    return performance.now();
  }

  /** What happened between a mark and now. */
  since(mark: number): WriterReport {
    const times = this.#acknowledged.map(({ at }) => at);
    const gaps = times.map((at, index) => [at, at - (times[index - 1] ?? at)] as const);
    const relevant = gaps.filter(([at]) => at > mark).map(([, gap]) => gap);
    const open = performance.now() - (times.at(-1) ?? mark);
    return {
      outageMs: Math.max(0, open > limitMs ? open : 0, ...relevant),
      acknowledged: relevant.length,
      unknown: this.#unknown.filter((at) => at > mark).length,
    };
  }

  /** Acknowledged writes that the server does not have now. */
  async lost(): Promise<number[]> {
    // What is acknowledged while the server answers is no part of the question.
    const acknowledged = this.#acknowledged.map(({ sequence }) => sequence);
    const client = await this.#connect();
    try {
      const { rows } = await client.query<{ sequence: string }>(
        `select sequence from ${table} where run = $1`,
        [this.#run],
      );
      const present = new Set(rows.map(({ sequence }) => Number(sequence)));
      return acknowledged.filter((sequence) => !present.has(sequence));
    } finally {
      await client.end();
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      ...this.#target,
      connectionTimeoutMillis: limitMs,
      query_timeout: limitMs,
    });
    // Between two statements a lost connection is reported here; the next statement fails on it.
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  async #loop(): Promise<void> {
    let client: pg.Client | undefined;
    let due = performance.now();
    while (this.#running) {
      await pause(due - performance.now());
      due = Math.max(due + this.#intervalMs, performance.now());
      let sent = false;
      const sequence = this.#sequence++;
      try {
        client ??= await this.#connect();
        sent = true;
        await client.query({
          name: "write",
          text: `insert into ${table} values ($1, $2)`,
          values: [this.#run, sequence],
        });
        this.#acknowledged.push({ sequence, at: performance.now() });
      } catch {
        if (sent) this.#unknown.push(performance.now());
        void client?.end().catch(() => undefined);
        client = undefined;
        due = performance.now() + reconnectMs;
      }
    }
    await client?.end().catch(() => undefined);
  }
}

function pause(ms: number): Promise<void> {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : Promise.resolve();
}
