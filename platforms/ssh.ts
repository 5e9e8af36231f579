import { readFileSync } from "node:fs";
import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { SshTarget } from "./platform.ts";
import { expanded } from "./ssh-arguments.ts";

type ConnectionArgs = command.types.input.remote.ConnectionArgs;

/** How long a dial may take, so that a dead machine costs seconds and not minutes. */
export interface DialLimits {
  /** Seconds for one TCP connection; left out: 5. */
  readonly perDialTimeout?: number;
  /** Failed dials before the step fails; left out: 3. */
  readonly dialErrorLimit?: number;
}

/**
 * The connection of a remote step, secret as a whole: the private key is read from its path now, and without a path
 * the SSH agent is asked. The host key is always checked.
 */
export function connectionOf(
  ssh: pulumi.Output<SshTarget>,
  limits: DialLimits = {},
): pulumi.Output<ConnectionArgs> {
  return pulumi.secret(ssh.apply((target) => plainConnection(target, limits)));
}

function plainConnection(target: SshTarget, limits: DialLimits): ConnectionArgs {
  const { perDialTimeout = 5, dialErrorLimit = 3 } = limits;
  const hop = ({ host, port, user, hostKey, privateKeyPath }: SshTarget) => ({
    host,
    port,
    user,
    hostKey,
    perDialTimeout,
    dialErrorLimit,
    ...(privateKeyPath === undefined ? {} : { privateKey: privateKeyAt(privateKeyPath) }),
  });
  return { ...hop(target), ...(target.proxy ? { proxy: hop(target.proxy) } : {}) };
}

/**
 * Undefined when it can't be read. Not an error here: one inside an output ends the update with twenty stack traces,
 * or with none and no reason.
 */
function privateKeyAt(path: string): string | undefined {
  try {
    return readFileSync(expanded(path), "utf8");
  } catch {
    return undefined;
  }
}

/**
 * Refuse, before anything is declared, to operate hosts with a private key that is not there. A preview dials nothing
 * and may run without it: in a pull request, say.
 *
 * @throws pulumi.RunError
 */
export function requirePrivateKey({ privateKeyPath }: { readonly privateKeyPath?: string }): void {
  if (privateKeyPath === undefined || pulumi.runtime.isDryRun()) return;
  if (privateKeyAt(privateKeyPath) !== undefined) return;
  throw new pulumi.RunError(
    `the private key ${privateKeyPath} can't be read; put it there, or leave ssh.privateKeyPath out and use the SSH agent`,
  );
}
