import { homedir } from "node:os";
import { join } from "node:path";
import { quoted } from "../transition/start.ts";
import type { SshTarget } from "./platform.ts";
import { publicKeyType, withoutComment } from "./public-key.ts";

/** `~/` is the home of whoever runs this. */
export function expanded(path: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
}

/** Limits of one connection of the system's `ssh`, in seconds. */
export interface SshLimits {
  /** Until the handshake is done; left out: 5. */
  readonly connectTimeout?: number;
  /** Between two signs of life, three of which may be missing; left out: 5. */
  readonly aliveInterval?: number;
}

/**
 * The arguments of the system's `ssh` (OpenSSH 8.5 or later) up to and with `user@host`; a command may follow.
 *
 * Exactly the target's host key is accepted, on each hop, and no file of the user or the system is read or written:
 * the key is handed over by `KnownHostsCommand`, so there is no file to make and to remove either.
 */
export function sshArguments(target: SshTarget, limits: SshLimits = {}): string[] {
  const proxy = target.proxy ? [`ProxyCommand=${proxyCommand(target, target.proxy, limits)}`] : [];
  const options = [...strictness(target), ...identity(target), ...waits(limits), ...proxy];
  return [
    ...["-F", "none", "-p", String(target.port)],
    ...options.flatMap((option) => ["-o", option]),
    `${target.user}@${target.host}`,
  ];
}

// The alias is looked up instead of the address: no DNS, no port, no second address to check.
const alias = "target";

function strictness({ hostKey }: SshTarget): string[] {
  return [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "UserKnownHostsFile=/dev/null",
    "GlobalKnownHostsFile=/dev/null",
    `KnownHostsCommand=/bin/echo ${alias} ${withoutComment(hostKey)}`,
    `HostKeyAlias=${alias}`,
    `HostKeyAlgorithms=${hostKeyAlgorithms(hostKey)}`,
    "UpdateHostKeys=no",
    "LogLevel=ERROR",
  ];
}

/** The signature algorithms that fit a key; RSA without SHA-1. */
function hostKeyAlgorithms(hostKey: string): string {
  const type = publicKeyType(hostKey);
  if (type === undefined)
    throw new Error(
      `"${hostKey}" is no public host key; one line as in /etc/ssh/ssh_host_ed25519_key.pub is allowed`,
    );
  return type === "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type;
}

function identity({ privateKeyPath }: SshTarget): string[] {
  if (privateKeyPath === undefined) return ["IdentityFile=none"];
  return ["IdentitiesOnly=yes", `IdentityFile="${percentsDoubled(expanded(privateKeyPath))}"`];
}

function waits({ connectTimeout = 5, aliveInterval = 5 }: SshLimits): string[] {
  return [
    `ConnectTimeout=${String(connectTimeout)}`,
    `ServerAliveInterval=${String(aliveInterval)}`,
    "ServerAliveCountMax=3",
  ];
}

function proxyCommand(target: SshTarget, proxy: SshTarget, limits: SshLimits): string {
  const words = ["ssh", "-W", `${target.host}:${String(target.port)}`, ...sshArguments(proxy, limits)];
  return percentsDoubled(words.map(quoted).join(" "));
}

/** `ssh` expands `%h` and the like in the values of some options. */
const percentsDoubled = (text: string): string => text.replaceAll("%", "%%");
