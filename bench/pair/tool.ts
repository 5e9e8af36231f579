import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ssh } from "../../tools/workshop/lab/lab.ts";
import type { WriterTarget } from "../../tools/workshop/writer.ts";
import type { Estate } from "../../test/support/estate.ts";

/** One way to operate a pair on the two hosts. Each has a cluster and a service address of its own. */
export interface Tool {
  readonly name: string;
  /** Makes the pair, with production on the first host, and leaves it running. */
  prepare(): Promise<void>;
  /** Where clients write: through the service address, or to one machine directly. */
  target(host?: string): Promise<WriterTarget>;
  /** The planned switch. Ends when the command does. */
  switchTo(host: string): Promise<void>;
  /** What a person orders when production is dead; a tool without it acts by itself. */
  readonly takeOver?: (dead: string, survivor: string) => Promise<void>;
  /** Makes a standby of the machine that is back, where the tool has not done so itself. */
  rejoin(returned: string, production: string): Promise<void>;
  /** Off, and not started by a boot: it is another tool's turn on these hosts. */
  park(standby: string, production: string): Promise<void>;
  unpark(standby: string, production: string): Promise<void>;
}

export const names = ["slayer", "megadeth"] as const;

export const other = (host: string): string => (host === names[0] ? names[1] : names[0]);

/** Runs one thing on both hosts at once. */
export async function onBoth(estate: Estate, command: string, seconds = 60): Promise<string[]> {
  return Promise.all(names.map((name) => estate.on(name, command, seconds)));
}

/** Debian enables what it installs, and etcd needs no configuration to start. */
export async function stopAll(estate: Estate): Promise<void> {
  await onBoth(estate, "systemctl disable --quiet --now keepalived etcd");
}

/** A service address of the lab beside the program's own. */
export const addressOf = (estate: Estate, octet: number): string =>
  estate.serviceAddress.replace(/\.46$/, `.${octet}`);

/** Puts a text of this folder on a host, with each `@KEY@` filled in. */
export async function put(
  estate: Estate,
  host: string,
  file: string,
  path: string,
  values: Readonly<Record<string, string>> = {},
): Promise<void> {
  let text = readFileSync(join(import.meta.dirname, file), "utf8");
  for (const [key, value] of Object.entries(values)) text = text.replaceAll(`@${key}@`, value);
  const mode = text.startsWith("#!") ? "0755" : "0644";
  await estate.on(
    host,
    `mkdir -p ${path.replace(/\/[^/]*$/, "")} && cat >${path} <<'TEXT_ENDS'\n${text}TEXT_ENDS\nchmod ${mode} ${path}`,
  );
}

/** Asks a host's own cluster, as its administrator. */
export async function sql(estate: Estate, host: string, port: number, query: string): Promise<string> {
  const command = `cd / && runuser -u postgres -- psql -p ${port} -XAtc "${query}" postgres`;
  return (await ssh(estate.lab, host, command, 10)).stdout.trim();
}

/** Whether the other machine streams from this one. */
export async function streams(estate: Estate, production: string, port: number): Promise<boolean> {
  const query = "select count(*) from pg_stat_replication where state = 'streaming'";
  return Number(await sql(estate, production, port, query)) > 0;
}

/** Waits until something is so. @throws after `seconds`. */
export async function until(what: string, seconds: number, probe: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await probe())) {
    if (performance.now() > end) throw new Error(`waited ${seconds} s for ${what}, in vain`);
    await new Promise((wake) => setTimeout(wake, 200));
  }
}
