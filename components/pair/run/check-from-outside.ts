import { readFileSync } from "node:fs";
import { get } from "node:http";
import { setTimeout } from "node:timers/promises";
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
  /** Pages that the same address must serve. */
  readonly pages: Readonly<Record<string, Page>>;
}

interface Page {
  readonly path: string;
  readonly port: number;
  readonly host?: string;
  readonly status: number;
  readonly contains?: string;
}

const deadlineMs = 30_000;
const { pair, address, port, database, password, standby, pages } = JSON.parse(
  readFileSync(0, "utf8"),
) as Order;

/** One look through the service address, as a user comes; undefined when all is as it should be. */
async function wrong(): Promise<string | undefined> {
  const client = new pg.Client({
    host: address,
    port,
    database,
    user: "changeover",
    password,
    connectionTimeoutMillis: 2000,
    query_timeout: 5000,
    application_name: "changeover-check",
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

/** `fetch` would send no host of our own. */
function answerOf({ path, port: at, host }: Page): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? {} : { host };
    const asked = get({ host: address, port: at, path, headers, timeout: 5000, agent: false }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (part: string) => (body += part));
      answer.on("end", () => {
        resolve({ status: answer.statusCode ?? 0, body });
      });
      answer.on("error", reject);
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer within 5 s")));
    asked.on("error", reject);
  });
}

async function wrongPage(name: string, page: Page): Promise<string | undefined> {
  const where = `${name}: http://${address}:${String(page.port)}${page.path}`;
  try {
    const { status, body } = await answerOf(page);
    if (status !== page.status) return `${where} has status ${String(status)}, not ${String(page.status)}`;
    if (page.contains !== undefined && !body.includes(page.contains))
      return `${where} does not contain "${page.contains}"`;
    return undefined;
  } catch (error) {
    return `${where}: ${(error as Error).message}`;
  }
}

/** Looks again and again; what is wrong at the deadline, undefined when it came right. */
async function comesRight(look: () => Promise<string | undefined>): Promise<string | undefined> {
  let problem = await look();
  while (problem !== undefined && performance.now() - started < deadlineMs) {
    await setTimeout(200);
    problem = await look();
  }
  return problem;
}

const started = performance.now();
const looks = [
  wrong,
  ...Object.entries(pages).map(
    ([name, page]) =>
      () =>
        wrongPage(name, page),
  ),
];
const problems = (await Promise.all(looks.map(comesRight))).filter((problem) => problem !== undefined);
if (problems.length === 0) {
  const served = Object.keys(pages).map((name) => `, ${name} is served`);
  console.log(
    `${pair} is served at ${address}, ${standby ?? "no standby"} follows${served.join("")} ${((performance.now() - started) / 1000).toFixed(2)}`,
  );
} else {
  // All of them: one cure may not be the other's.
  for (const problem of problems)
    console.error(`timed out: ${problem}; still so after ${String(deadlineMs / 1000)} s`);
  process.exitCode = 75;
}
