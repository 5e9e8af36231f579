import type { Look } from "../decide.ts";
import type { SshTarget } from "../../platforms/platform.ts";
import { sshRun } from "./ssh-run.ts";

/** One machine to look at: where it is, and the read-only command that describes it. */
export interface LookAt {
  readonly host: string;
  readonly target: SshTarget;
  readonly command: string;
  /** How long it may take, 10 s unless it is said. */
  readonly seconds?: number;
}

/** Look at one machine. A machine that is dead, hung or somebody else's is a finding, not a failure. */
export async function lookAt<Facts extends { readonly now_ms: number }>({
  host,
  target,
  command,
  seconds = 10,
}: LookAt): Promise<Look<Facts>> {
  const started = Date.now();
  const { code, stdout, stderr } = await sshRun(target, command, seconds);
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
