import type { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { setTimeout } from "node:timers/promises";
import pg from "pg";
import { admitCommand } from "../clients.ts";
import { receiptLine, running } from "../../../transition/receipt.ts";

/** The expected state of the service address. */
interface Order {
  readonly pair: string;
  readonly address: string;
  readonly port: number;
  readonly database: string;
  /** Of role `changeover_check`. */
  readonly password: string;
  /** The standby that must stream from production; undefined: no standby. */
  readonly standby?: string;
  /** How many networks may connect by now. */
  readonly clients: number;
  /** Pages that the service address must serve. */
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
const ran = running();
const { pair, address, port, database, password, standby, clients, pages } = JSON.parse(
  readFileSync(0, "utf8"),
) as Order;

/**
 * Log in by SCRAM-SHA-256 or not at all: whoever answers at the service address gets no password, and has to prove that
 * it knows it too. The client itself would obey a server that asks for the password.
 */
async function connect(client: pg.Client): Promise<void> {
  const connecting = client.connect();
  const { connection } = client as unknown as { readonly connection: EventEmitter };
  const proofs: string[] = [];
  for (const event of ["authenticationCleartextPassword", "authenticationMD5Password"]) {
    connection.removeAllListeners(event).on(event, () => {
      connection.emit("error", new Error("the server asks for the password, not for SCRAM-SHA-256"));
    });
  }
  connection.on("authenticationSASLFinal", () => proofs.push("SCRAM-SHA-256"));
  await connecting;
  if (proofs.length === 0)
    throw new Error("the server admits without SCRAM-SHA-256, so it is not proved to be the pair's");
}

/** One check of the database through the service address, as a client connects. Returns what is wrong. */
async function wrongDatabase(): Promise<string | undefined> {
  const client = new pg.Client({
    host: address,
    port,
    database,
    user: "changeover_check",
    password,
    connectionTimeoutMillis: 2000,
    query_timeout: 5000,
    application_name: "changeover-check",
  });
  // Without a listener a lost connection ends the program; the next query fails and is reported.
  client.on("error", () => undefined);
  try {
    await connect(client);
    const { rows } = await client.query<{ recovery: boolean; standbys: string[] }>(
      `select pg_is_in_recovery() as recovery,
              array(select application_name::text from pg_stat_replication where state = 'streaming') as standbys`,
    );
    const server = rows[0];
    if (!server || server.recovery) return `PostgreSQL at ${address} answers, but rejects writes`;
    if (standby !== undefined && !server.standbys.includes(standby)) {
      return `${address} accepts writes, but ${standby} does not stream (streaming: ${server.standbys.join(", ") || "no standby"})`;
    }
    await client.query("select pg_current_xact_id()");
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    const [, refused] = /no pg_hba\.conf entry for host "([^"]+)"/.exec(message) ?? [];
    const cure = refused === undefined ? "" : `; admit it: ${admitCommand(pair, clients, refused)}`;
    return `${address}:${String(port)}: ${message}${cure}`;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** By node:http, since `fetch` does not send a `host` header of ours. */
function answerOf({ path, port: at, host }: Page): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? {} : { host };
    const request = get({ host: address, port: at, path, headers, timeout: 5000, agent: false }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (part: string) => (body += part));
      answer.on("end", () => {
        resolve({ status: answer.statusCode ?? 0, body });
      });
      answer.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error("no answer within 5 s")));
    request.on("error", reject);
  });
}

/** One check of a page. Returns what is wrong. */
async function wrongPage(name: string, page: Page): Promise<string | undefined> {
  const where = `${name}: http://${address}:${String(page.port)}${page.path}`;
  try {
    const { status, body } = await answerOf(page);
    if (status !== page.status)
      return `${where} has status ${String(status)} (allowed: ${String(page.status)})`;
    if (page.contains !== undefined && !body.includes(page.contains))
      return `${where} does not contain "${page.contains}"`;
    return undefined;
  } catch (error) {
    return `${where}: ${(error as Error).message}`;
  }
}

/** Repeats a check until it passes or reaches the deadline. Returns what is wrong at the deadline. */
async function problemAtDeadline(check: () => Promise<string | undefined>): Promise<string | undefined> {
  let problem = await check();
  while (problem !== undefined && ran().seconds * 1000 < deadlineMs) {
    await setTimeout(200);
    problem = await check();
  }
  return problem;
}

const checks = [
  wrongDatabase,
  ...Object.entries(pages).map(
    ([name, page]) =>
      () =>
        wrongPage(name, page),
  ),
];
const problems = (await Promise.all(checks.map(problemAtDeadline))).filter(
  (problem) => problem !== undefined,
);
if (problems.length === 0) {
  const pagesServed = Object.keys(pages).map((name) => `, ${name} is served`);
  const prose = `${pair} is served at ${address}, ${standby ?? "no standby"} streams${pagesServed.join("")}`;
  console.log(receiptLine(prose, ran()));
} else {
  // All problems, since each may need its own cure.
  for (const problem of problems) console.error(`timed out after ${String(deadlineMs / 1000)} s: ${problem}`);
  process.exitCode = 75;
}
