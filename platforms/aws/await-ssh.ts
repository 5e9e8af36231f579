import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { SshTarget } from "../platform.ts";
import { sshRun } from "../../transition/run/ssh-run.ts";

const help = `Wait until a machine that has just been started answers over SSH.

Usage: node platforms/aws/await-ssh.ts NAME [SECONDS]   (default 300; its SshTarget as JSON on stdin)

Ends with 0 when it answers, 75 when it did not in time, 64 when called wrongly.`;

const loginSeconds = 20;
const pauseMs = 2000;

async function awaitSsh(name: string, target: SshTarget, seconds: number): Promise<number> {
  const started = performance.now();
  const left = () => seconds - (performance.now() - started) / 1000;
  let before = "";
  while (left() > 0) {
    const { code, stderr } = await sshRun(target, "true", Math.min(loginSeconds, Math.ceil(left())));
    if (code === 0) {
      console.log(`${name} answers after ${(seconds - left()).toFixed(0)} s`);
      return 0;
    }
    if (stderr !== before) console.error(`${name} ${stderr}`);
    before = stderr;
    await pause(Math.min(pauseMs, Math.max(0, left() * 1000)));
  }
  const way = target.proxy ? ` through ${target.proxy.host}` : "";
  console.error(
    `${name} at ${target.host}${way} did not answer within ${String(seconds)} s; look at its console`,
  );
  return 75;
}

const [name, limit = "300"] = process.argv.slice(2);
if (name === undefined || name.startsWith("-") || !(Number(limit) > 0)) {
  console.error(help);
  process.exitCode = name === "--help" ? 0 : 64;
} else {
  process.exitCode = await awaitSsh(name, JSON.parse(readFileSync(0, "utf8")) as SshTarget, Number(limit));
}
