import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { entryNames, hostNames } from "../../config/common-fields.ts";
import { shown } from "../../config/problems.ts";
import { networkOf } from "../../platforms/ipv4.ts";
import type { Question } from "./ask.ts";

/** A question whose answer has a form. */
const question = (
  text: string,
  allowed: string,
  fits: (answer: string) => boolean,
  fallback?: string,
): Question => ({
  text,
  fallback,
  wrong: (answer) => (fits(answer) ? undefined : `${shown(answer)} is not allowed; allowed: ${allowed}`),
});

const isAddress = (text: string): boolean => networkOf(`${text}/32`) !== undefined;

/** Where a server is: `alpha=192.0.2.11`, and with a port `alpha=192.0.2.11:2222`. */
export interface Place {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export function placeOf(answer: string): Place | undefined {
  const [, name = "", address = "", port = "22"] = /^([^=]+)=(\d[\d.]*)(?::(\d{1,5}))?$/.exec(answer) ?? [];
  const place = { name, address, port: Number(port) };
  return hostNames.pattern.test(name) && isAddress(address) ? place : undefined;
}

const server = (role: string, example: string): Question =>
  question(
    `${role}, as NAME=ADDRESS`,
    `NAME=ADDRESS, for example ${example}`,
    (answer) => placeOf(answer) !== undefined,
  );

/** The networks in an answer. */
export const networksIn = (answer: string): string[] => answer.split(/[ ,]+/).filter(Boolean);

export const stackName = question(
  "Name of the stack",
  "letters, digits, hyphens and underscores",
  (text) => /^[\w-]+$/.test(text),
  "office",
);

export const pairName = question(
  "Name of the pair, and of its database",
  entryNames.allowed,
  (text) => entryNames.pattern.test(text),
  "shop",
);

export const primary = server("Server that is production first", "alpha=192.0.2.11");
export const secondary = server("Server that is the standby", "beta=192.0.2.12");

export const user = question(
  "User who logs in",
  "a user name",
  (text) => /^[a-z_][a-z0-9_-]*$/.test(text),
  "root",
);

/** The key that OpenSSH takes by itself; the agent is asked when there is one, or no key. */
function usualKey(): string {
  const names = process.env.SSH_AUTH_SOCK ? [] : ["id_ed25519", "id_ecdsa", "id_rsa"];
  const found = names.find((name) => existsSync(join(homedir(), ".ssh", name)));
  return found === undefined ? "agent" : `~/.ssh/${found}`;
}

export const privateKey = question(
  "Private key without a passphrase, or agent",
  "an absolute path, a path that begins with ~/, or agent",
  (text) => /^(agent$|~\/.|\/.)/.test(text),
  usualKey(),
);

export const serviceAddress = question(
  "Service address: free, in the network of both servers",
  "an IPv4 address",
  isAddress,
);

/** @param own the address of this machine, which checks the service after a switch. */
export const clients = (own: string | undefined): Question =>
  question(
    "Networks that may connect to the database, with this machine",
    "networks such as 192.0.2.0/24, with commas between",
    (text) => networksIn(text).every((one) => networkOf(one)),
    own === undefined ? undefined : `${own}/32`,
  );

export const compared = question(
  "Are both the same there",
  "yes, after a look at both; to end it: Ctrl-C",
  (text) => text === "yes",
);
