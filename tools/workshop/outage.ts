import { connect } from "node:net";

/** What is looked at: where a database takes connections, and a page that is answered from it. */
export interface Watched {
  readonly database: { readonly host: string; readonly port: number };
  readonly site: string;
}

/** Seconds for which each was away: from the first look that failed to the first good one after the last that failed. */
export type Away = Readonly<Record<keyof Watched, number>>;

type Look = Readonly<Record<keyof Watched, boolean>> & { readonly at: number };

const everyMs = 100;
const limitMs = 2000;

/** Looks from outside whether a database takes connections and a site answers, ten times a second. */
export class Outage {
  readonly #watched: Watched;
  readonly #looks: Look[] = [];
  #looking = false;
  #end: Promise<void> = Promise.resolve();

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  start(): void {
    this.#looks.length = 0;
    this.#looking = true;
    this.#end = this.#look();
  }

  async stop(): Promise<Away> {
    this.#looking = false;
    await this.#end;
    return { database: away(this.#looks, "database"), site: away(this.#looks, "site") };
  }

  async #look(): Promise<void> {
    while (this.#looking) {
      const at = performance.now();
      const [database, site] = await Promise.all([
        takes(this.#watched.database),
        answers(this.#watched.site),
      ]);
      this.#looks.push({ at, database, site });
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}

function away(looks: readonly Look[], what: keyof Watched): number {
  const from = looks.find((look) => !look[what]);
  const to = looks[looks.findLastIndex((look) => !look[what]) + 1];
  return from ? ((to?.at ?? Infinity) - from.at) / 1000 : 0;
}

const takes = ({ host, port }: Watched["database"]): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: limitMs });
    const end = (taken: boolean) => () => {
      socket.destroy();
      resolve(taken);
    };
    socket.once("connect", end(true)).once("error", end(false)).once("timeout", end(false));
  });

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(limitMs) });
    await answer.text();
    return answer.status === 200;
  } catch {
    return false;
  }
}
