import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import pg from "pg";

/** Something that was seen at a moment: a machine that took a write, or that answered for an address. */
interface Seen {
  readonly at: number;
  readonly who: string;
}

/**
 * Machines that alternate where only one may act: `a` after `b` after `a` within one flip means that both did. A flip
 * explains one change of hands.
 */
export function handovers(seen: readonly Seen[]): string[] {
  const hands: string[] = [];
  for (const { who } of [...seen].sort((one, other) => one.at - other.at))
    if (hands.at(-1) !== who) hands.push(who);
  return hands;
}

/** Writes to each machine of a pair directly, all the time: who takes a write is who accepts writes. */
export class WriteWatch {
  readonly seen: Seen[] = [];
  readonly #targets: Readonly<Record<string, pg.ClientConfig>>;
  #running = true;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(targets: Readonly<Record<string, pg.ClientConfig>>) {
    this.#targets = targets;
  }

  start(): void {
    this.#ended = Promise.all(Object.entries(this.#targets).map(([who, target]) => this.#watch(who, target)));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#ended;
  }

  async #watch(who: string, target: pg.ClientConfig): Promise<void> {
    let client: pg.Client | undefined;
    while (this.#running) {
      try {
        if (!client) {
          client = new pg.Client({ ...target, connectionTimeoutMillis: 500, query_timeout: 500 });
          client.on("error", () => undefined);
          await client.connect();
        }
        await client.query(
          "create table if not exists changeover_watch (who text); insert into changeover_watch values ('w')",
        );
        this.seen.push({ at: performance.now(), who });
      } catch (error) {
        // A standby refuses the write and keeps the connection; everything else needs a new one.
        if ((error as { code?: string }).code !== "25006") {
          void client?.end().catch(() => undefined);
          client = undefined;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await client?.end().catch(() => undefined);
  }
}

/** Asks by ARP who holds an address, all the time. */
export class AddressWatch {
  readonly seen: Seen[] = [];
  readonly #child: ChildProcess;

  constructor(link: string, address: string) {
    this.#child = spawn("python3", [join(import.meta.dirname, "watch-address.py"), link, address], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let rest = "";
    this.#child.stdout?.on("data", (data: Buffer) => {
      const lines = (rest + data.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [at, who] = line.split(" ");
        if (at !== undefined && who !== undefined) this.seen.push({ at: Number(at), who });
      }
    });
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.stdin?.end("\n");
    await gone;
  }
}
