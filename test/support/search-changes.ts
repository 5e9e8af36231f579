import { Agent, request } from "node:http";

type Document = Readonly<Record<string, unknown>>;

/** What a program does to an alias, and what was acknowledged of it. */
export class SearchChanges {
  /** The text of each document that was acknowledged last; null: its deletion was. */
  readonly wanted = new Map<string, Document | null>();
  acknowledged = 0;
  refused = 0;
  /** Refusals that no block explains, in the words of the engine. */
  readonly odd: string[] = [];
  readonly #at: string;
  readonly #alias: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  readonly #workers: Promise<void>[] = [];
  #on = true;
  #good = performance.now();
  /** Seconds between two acknowledged changes, the longest. */
  gap = 0;

  /** @param at such as `http://127.0.0.12:19620`. */
  constructor(at: string, alias: string) {
    this.#at = at;
    this.#alias = alias;
  }

  /** About 100 changes a second by four programs, each with ids of its own: documents come, change, go, and come again. */
  start(): void {
    this.#good = performance.now();
    for (const worker of [0, 1, 2, 3]) this.#workers.push(this.#work(worker));
  }

  async stop(): Promise<void> {
    this.#on = false;
    await Promise.all(this.#workers);
    this.#agent.destroy();
  }

  /** Fill an index. @returns nothing; the documents are counted among those wanted. */
  async fill(documents: number): Promise<void> {
    for (let from = 0; from < documents; from += 1000) {
      const lines: string[] = [];
      for (let n = from; n < Math.min(documents, from + 1000); n += 1) {
        const id = `seed-${String(n)}`;
        const document = { n, text: `document ${id} ${"lorem ipsum ".repeat(8)}` };
        this.wanted.set(id, document);
        lines.push(JSON.stringify({ index: { _id: id } }), JSON.stringify(document));
      }
      const { status, text } = await this.#send("POST", `/${this.#alias}/_bulk`, `${lines.join("\n")}\n`);
      if (status !== 200 || text.includes('"errors":true')) throw new Error(text.slice(0, 300));
    }
    await this.#send("POST", `/${this.#alias}/_refresh`);
  }

  /** Acknowledged changes that the alias does not show: lost ones, and deleted ones that are back. */
  async wrong(): Promise<{ lost: string[]; back: string[] }> {
    await this.#send("POST", `/${this.#alias}/_refresh`);
    const [lost, back]: [string[], string[]] = [[], []];
    const ids = [...this.wanted.keys()];
    for (let from = 0; from < ids.length; from += 2000) {
      const { text } = await this.#send(
        "POST",
        `/${this.#alias}/_mget`,
        JSON.stringify({ ids: ids.slice(from, from + 2000) }),
      );
      const { docs } = JSON.parse(text) as { docs: { _id: string; found?: boolean; _source?: Document }[] };
      for (const { _id, found, _source } of docs) {
        const wanted = this.wanted.get(_id) ?? null;
        if (wanted === null) {
          if (found === true) back.push(_id);
        } else if (found !== true || _source?.n !== wanted.n) lost.push(_id);
      }
    }
    return { lost, back };
  }

  async #work(worker: number): Promise<void> {
    for (let turn = 0; this.#on; turn += 1) {
      const next = new Promise((resolve) => setTimeout(resolve, 40));
      // New ids, ids of the seed, and ids that were deleted before.
      const id =
        turn % 3 === 0
          ? `new-${String(worker)}-${String(turn % 90)}`
          : `seed-${String(((turn * 37) % 900) * 4 + worker)}`;
      if (turn % 7 === 3) await this.#change(id, null);
      else await this.#change(id, { n: 1_000_000 * (worker + 1) + turn, text: `changed ${id}` });
      await next;
    }
  }

  async #change(id: string, document: Document | null): Promise<void> {
    const path = `/${this.#alias}/_doc/${id}`;
    const { status, text } = await (document === null
      ? this.#send("DELETE", path)
      : this.#send("PUT", path, JSON.stringify(document)));
    if (status === 200 || status === 201 || (document === null && status === 404)) {
      this.acknowledged += 1;
      this.wanted.set(id, document);
      const now = performance.now();
      this.gap = Math.max(this.gap, (now - this.#good) / 1000);
      this.#good = now;
    } else {
      this.refused += 1;
      if (!text.includes("cluster_block_exception")) this.odd.push(`${String(status)} ${text.slice(0, 200)}`);
    }
  }

  #send(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve) => {
      const type = path.endsWith("_bulk") ? "application/x-ndjson" : "application/json";
      const sent = request(
        `${this.#at}${path}`,
        {
          method,
          agent: this.#agent,
          timeout: 30_000,
          headers: body === undefined ? {} : { "content-type": type },
        },
        (answer) => {
          let text = "";
          answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
          answer.on("end", () => {
            resolve({ status: answer.statusCode ?? 0, text });
          });
        },
      );
      sent.on("timeout", () => sent.destroy(new Error("timeout")));
      sent.on("error", ({ message }) => {
        resolve({ status: 0, text: message });
      });
      sent.end(body);
    });
  }
}
