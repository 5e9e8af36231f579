import type { Look } from "../decide.ts";
import type { SshTarget } from "../../platforms/platform.ts";
import { type SshResult, sshRun, type SshRunOptions } from "./ssh-run.ts";

/** One machine to look at: where it is, and the read-only command that describes it. */
export interface LookAt {
  readonly host: string;
  readonly target: SshTarget;
  readonly command: string;
  /** How long it may take, 10 s unless it is said. */
  readonly seconds?: number;
}

/** What a look left, and what it means. */
export interface Looked<Facts> {
  readonly look: Look<Facts>;
  readonly result: SshResult;
}

/** Look at one machine. A machine that is dead, hung or somebody else's is a finding, not a failure. */
export const lookAt = async <Facts extends { readonly now_ms: number }>(at: LookAt): Promise<Look<Facts>> =>
  (await lookOnce<Facts>(at)).look;

/** The same, with what the host's command left. */
export async function lookOnce<Facts extends { readonly now_ms: number }>(
  { host, target, command, seconds = 10 }: LookAt,
  options: SshRunOptions = {},
): Promise<Looked<Facts>> {
  const started = Date.now();
  const result = await sshRun(target, command, seconds, options);
  return { look: lookIn(host, target, result, started), result };
}

function lookIn<Facts extends { readonly now_ms: number }>(
  host: string,
  target: SshTarget,
  { code, stdout, stderr }: SshResult,
  started: number,
): Look<Facts> {
  const skewErrorMs = (Date.now() - started) / 2;
  if (code === 0) {
    try {
      const facts = JSON.parse(stdout) as Facts;
      return { host, facts, skewMs: facts.now_ms - started - skewErrorMs, skewErrorMs };
    } catch {
      return { host, failure: `answered the probe with something else: ${stdout.slice(0, 200)}` };
    }
  }
  const where = `${target.user}@${target.host}:${String(target.port)}`;
  return { host, failure: `${stderr || `ended with ${String(code)}`} (${where})` };
}
