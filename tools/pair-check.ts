import { readFileSync } from "node:fs";
import pg from "pg";

/** What to find at the service address. */
interface Order {
  readonly pair: string;
  readonly address: string;
  readonly port: number;
  readonly database: string;
  readonly password: string;
  /** Who must stream from it; undefined: nobody. */
  readonly standby?: string;
}

const deadlineMs = 30_000;
const { pair, address, port, database, password, standby } = JSON.parse(readFileSync(0, "utf8")) as Order;

/** One look through the service address, as a user comes; undefined when all is as it should be. */
async function wrong(): Promise<string | undefined> {
  const client = new pg.Client({
    ...{ host: address, port, database, user: "changeover", password },
    ...{ connectionTimeoutMillis: 2000, query_timeout: 5000, application_name: "changeover-check" },
  });
  // A connection that ends outside a query reports it here; the next query fails and is reported.
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ recovery: boolean; standbys: string[] }>(
      `select pg_is_in_recovery() as recovery,
              array(select application_name::text from pg_stat_replication where state = 'streaming') as standbys`,
    );
    const found = rows[0];
    if (!found || found.recovery) return `${address} answers, but accepts no writes`;
    if (standby !== undefined && !found.standbys.includes(standby)) {
      return `${address} accepts writes, but ${standby} does not stream from it (${found.standbys.join(", ") || "none does"})`;
    }
    await client.query("select pg_current_xact_id()");
    return undefined;
  } catch (error) {
    return `${address}:${String(port)}: ${(error as Error).message}`;
  } finally {
    await client.end().catch(() => undefined);
  }
}

const started = performance.now();
let problem = await wrong();
while (problem !== undefined && performance.now() - started < deadlineMs) {
  await new Promise((resolve) => setTimeout(resolve, 200));
  problem = await wrong();
}
if (problem === undefined) {
  console.log(
    `${pair} is served at ${address}, ${standby ?? "no standby"} follows ${((performance.now() - started) / 1000).toFixed(2)}`,
  );
} else {
  console.error(`timed out: ${problem}; still so after ${String(deadlineMs / 1000)} s`);
  process.exitCode = 75;
}
