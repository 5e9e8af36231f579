import { spawn } from "node:child_process";
import type { SshTarget } from "../../platforms/platform.ts";
import { sshArguments, type SshLimits } from "../../platforms/ssh-arguments.ts";

/** What a command on a host left. `code` is null when it was ended at its deadline. */
export interface SshResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The host is dead, hung or cut off: another run may find it well. */
  readonly noAnswer?: true;
}

/** What a command may be given. */
export interface SshRunOptions {
  /** What it reads; left out: nothing. */
  readonly input?: Buffer;
  readonly limits?: SshLimits;
}

const silent = /timed out|No route to host|Connection refused|Connection closed|reset by peer|unreachable/;

/** What the system's ssh says, and what it means to an operator. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [
    /Host key verification failed|IDENTIFICATION HAS CHANGED/,
    "shows another host key than the config names: it was reinstalled, or it is another machine; compare the keys before you change the config",
  ],
  [
    /sudo: .*(password|not allowed|not found)/,
    "has no sudo without a password for this user; allow it in /etc/sudoers.d, or log in as root",
  ],
  [/python3.*not found/, "has no python3; install it: apt-get install python3"],
  [/Permission denied/, "refuses the operator's key; put the public key into its authorized_keys"],
  [silent, "does not answer on ssh; repair it, or add a dead host to changeover:unreachable"],
];

function inWords(stderr: string): string {
  const last = stderr.trim().split("\n").at(-1) ?? "";
  const meaning = meanings.find(([pattern]) => pattern.test(stderr))?.[1];
  return meaning === undefined ? last : `${meaning} (${last})`;
}

/**
 * Run a command on a host with the system's ssh, which has limits for the handshake and for silence where the plugin
 * has none. Never rejects: a host that is dead, hung or somebody else's is a result.
 *
 * @param seconds until the command is ended whatever it does.
 */
export function sshRun(
  target: SshTarget,
  command: string,
  seconds: number,
  { input, limits }: SshRunOptions = {},
): Promise<SshResult> {
  const child = spawn("ssh", [...sshArguments(target, limits), command], {
    stdio: ["pipe", "pipe", "pipe"],
    timeout: seconds * 1000,
    killSignal: "SIGKILL",
  });
  // A host that ends before it has read all of its input says why by other means.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve) => {
    child.on("error", (error) => {
      resolve({
        code: null,
        stdout,
        stderr: `ssh can't be started (${error.message}); install OpenSSH's client`,
      });
    });
    child.on("close", (code) => {
      const late = `gave no answer within ${String(seconds)} s; repair it, or add a dead host to changeover:unreachable`;
      const noAnswer = code === null || (code === 255 && silent.test(stderr));
      const said = code === null ? late : inWords(stderr);
      resolve({ code, stdout, stderr: said, ...(noAnswer ? { noAnswer } : {}) });
    });
  });
}
