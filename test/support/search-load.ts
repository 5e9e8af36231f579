import { randomBytes } from "node:crypto";
import { Agent, request } from "node:http";

/** An answer of a cluster: status 0 is none. */
interface Answer {
  readonly status: number;
  readonly body: string;
  readonly reason?: string;
}

/** What programs and watchers saw of a cluster over one stretch of time. */
export interface SearchReport {
  readonly seconds: number;
  /** Documents whose write was acknowledged. */
  readonly written: readonly string[];
  /** Writes and searches that failed at their third try too, with the last reason. */
  readonly failedWrites: readonly string[];
  readonly failedSearches: readonly string[];
  /** The longest time between two good writes, and two good searches, in seconds. */
  readonly writeGap: number;
  readonly searchGap: number;
  /** The same for a program that asks the first address alone, and knows no other. */
  readonly firstAddressGap: number;
  /** How often a watcher saw the cluster red, of how many looks. */
  readonly red: number;
  readonly looks: number;
}

const limitMs = 5000;

/**
 * Programs that use a cluster: 50 writes and 20 searches a second, each at the next address when one does not answer, three
 * tries in all; one that knows the first address alone; and a watcher that asks the health every 100 ms.
 */
export class SearchLoad {
  readonly #targets: readonly string[];
  readonly #index: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #timers: NodeJS.Timeout[] = [];
  /** No two loads write the same document. */
  readonly #name = randomBytes(4).toString("hex");
  #serial = 0;
  #turn = 0;
  #began = performance.now();
  #written: string[] = [];
  #failedWrites: string[] = [];
  #failedSearches: string[] = [];
  #writes: number[] = [];
  #searches: number[] = [];
  #first: number[] = [];
  #red = 0;
  #looks = 0;
  #open = 0;

  /** @param targets addresses such as `http://10.77.0.2:9200`, the coordinator first. */
  constructor(targets: readonly string[], index = "pages") {
    this.#targets = targets;
    this.#index = index;
  }

  start(): void {
    this.#every(20, () => this.#write());
    this.#every(50, () => this.#search());
    this.#every(100, () => this.#look());
    this.#every(100, () => this.#askFirst());
  }

  /** Begin a stretch. */
  mark(): void {
    this.#began = performance.now();
    [this.#written, this.#failedWrites, this.#failedSearches] = [[], [], []];
    [this.#writes, this.#searches, this.#first] = [[], [], []];
    [this.#red, this.#looks] = [0, 0];
  }

  /** What was seen since the mark. Requests that are under way are waited for. */
  async report(): Promise<SearchReport> {
    const until = performance.now() + 4 * limitMs;
    const from = this.#serial;
    while (this.#open > 0 && performance.now() < until && this.#serial < from + 500) await pause(20);
    const now = performance.now();
    const gap = (times: readonly number[]): number =>
      [...times, now].reduce(({ last, most }, at) => ({ last: at, most: Math.max(most, at - last) }), {
        last: this.#began,
        most: 0,
      }).most / 1000;
    return {
      seconds: (now - this.#began) / 1000,
      written: this.#written,
      failedWrites: this.#failedWrites,
      failedSearches: this.#failedSearches,
      writeGap: gap(this.#writes),
      searchGap: gap(this.#searches),
      firstAddressGap: gap(this.#first),
      red: this.#red,
      looks: this.#looks,
    };
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#agent.destroy();
  }

  /** Documents of a list that the cluster does not have, and how many it has in all. */
  async check(written: readonly string[]): Promise<{ missing: string[]; count: number }> {
    await this.#anywhere("POST", `/${this.#index}/_refresh`);
    const missing: string[] = [];
    for (let at = 0; at < written.length; at += 1000) {
      const ids = written.slice(at, at + 1000);
      const { body } = await this.#anywhere(
        "POST",
        `/${this.#index}/_mget?_source=false`,
        JSON.stringify({ ids }),
      );
      const { docs } = JSON.parse(body) as { docs: { _id: string; found?: boolean }[] };
      missing.push(...docs.flatMap(({ _id, found }) => (found === true ? [] : [_id])));
    }
    const { body } = await this.#anywhere("GET", `/${this.#index}/_count`);
    return { missing, count: (JSON.parse(body) as { count: number }).count };
  }

  #every(ms: number, act: () => Promise<void>): void {
    this.#timers.push(
      setInterval(() => {
        this.#open += 1;
        void act().finally(() => (this.#open -= 1));
      }, ms),
    );
  }

  async #write(): Promise<void> {
    const id = `${this.#name}-${String(this.#serial++)}`;
    const { status, reason = "" } = await this.#anywhere(
      "PUT",
      `/${this.#index}/_create/${id}`,
      JSON.stringify({ zone: `z${String(this.#serial % 7)}`, text: `document ${id}`, n: this.#serial }),
    );
    // 409: the first try was written before its answer was lost.
    if (status === 200 || status === 201 || status === 409) {
      this.#written.push(id);
      this.#writes.push(performance.now());
    } else this.#failedWrites.push(`${id}: ${String(status)} ${reason}`);
  }

  async #search(): Promise<void> {
    const query = { size: 3, query: { match: { text: "document" } }, aggs: { n: { avg: { field: "n" } } } };
    const {
      status,
      body,
      reason = "",
    } = await this.#anywhere("POST", `/${this.#index}/_search`, JSON.stringify(query), isWhole);
    if (status === 200) this.#searches.push(performance.now());
    else this.#failedSearches.push(`${String(status)} ${reason}${body.slice(0, 200)}`);
  }

  async #askFirst(): Promise<void> {
    const { status } = await this.#once(this.#targets[0] ?? "", "GET", `/${this.#index}/_count`);
    if (status === 200) this.#first.push(performance.now());
  }

  async #look(): Promise<void> {
    const target = this.#targets[this.#turn++ % this.#targets.length] ?? "";
    const { status, body } = await this.#once(target, "GET", "/_cluster/health?timeout=1s");
    if (status !== 200) return;
    this.#looks += 1;
    if ((JSON.parse(body) as { status: string }).status === "red") this.#red += 1;
  }

  /** At most three tries, each at the next address. */
  async #anywhere(
    method: string,
    path: string,
    body?: string,
    isGood: (answer: Answer) => boolean = ({ status }) => status < 500 && status !== 429,
  ): Promise<Answer> {
    const from = this.#turn++;
    let answer: Answer = { status: 0, body: "" };
    for (let attempt = 0; attempt < 3; attempt++) {
      const target = this.#targets[(from + attempt) % this.#targets.length] ?? "";
      answer = await this.#once(target, method, path, body);
      if (answer.status !== 0 && isGood(answer)) return answer;
      await pause(100 * (attempt + 1));
    }
    return { ...answer, status: isGood(answer) ? answer.status : 0, reason: answer.reason ?? answer.body };
  }

  #once(target: string, method: string, path: string, body?: string): Promise<Answer> {
    return new Promise((resolve) => {
      const asked = request(
        `${target}${path}`,
        {
          method,
          agent: this.#agent,
          timeout: limitMs,
          headers: body === undefined ? {} : { "content-type": "application/json" },
        },
        (response) => {
          let text = "";
          response.on("data", (data: Buffer) => (text += data.toString()));
          response.on("end", () => {
            resolve({ status: response.statusCode ?? 0, body: text });
          });
          response.on("error", ({ message }) => {
            resolve({ status: 0, body: "", reason: message });
          });
        },
      );
      asked.on("timeout", () => asked.destroy(new Error("timeout")));
      asked.on("error", ({ message }) => {
        resolve({ status: 0, body: "", reason: message });
      });
      asked.end(body);
    });
  }
}

/** A search that misses shards is no good answer. */
const isWhole = ({ status, body }: Answer): boolean =>
  status === 200 && (JSON.parse(body) as { _shards: { failed: number } })._shards.failed === 0;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
