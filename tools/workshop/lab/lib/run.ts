import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import type { StdioOptions } from "node:child_process";

/** What a command left behind. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Seconds until the command and its children are killed; 30 when left out. */
  readonly deadline?: number;
  readonly stdin?: string;
  readonly env?: Record<string, string>;
  /** Called with what arrives on stdout, in pieces of any length. */
  readonly onStdout?: (text: string) => void;
  /** Called with each line of stderr as it comes. */
  readonly onStderr?: (line: string) => void;
}

/** A fault that a person can read as it is: fact, value, what is allowed, cure. No stack trace is printed for it. */
export class LabError extends Error {}

/** Where programs are looked for; the last two are often missing from a user's own PATH. */
export const searchPath = (): string => `${process.env["PATH"] ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`;

/**
 * Runs a command in a process group of its own and waits for it.
 * @throws LabError when it cannot be started or takes longer than `deadline` seconds.
 */
export function tryRun(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [file = "", ...args] = argv;
  const deadline = options.deadline ?? 30;
  const stdio: StdioOptions = ["pipe", "pipe", "pipe"];
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio,
      detached: true,
      env: { ...process.env, PATH: searchPath(), ...options.env },
    });
    let stdout = "";
    let stderr = "";
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, deadline * 1000);
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      options.onStdout?.(text);
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (options.onStderr) for (const line of text.split("\n")) if (line) options.onStderr(line);
    });
    // A command that ends without reading its input is no fault of ours.
    child.stdin?.on("error", () => undefined).end(options.stdin ?? "");
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new LabError(`${file} cannot be started: ${error.message}`));
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      if (late) reject(new LabError(`${argv.join(" ")} did not end within ${deadline} s and was killed`));
      else resolve({ code: code ?? 128, stdout, stderr });
    });
  });
}

/**
 * As `tryRun`, for a command that must succeed.
 * @returns its stdout, trimmed.
 * @throws LabError with the command, its exit code and the end of its output.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await tryRun(argv, options);
  if (code === 0) return stdout.trim();
  const output = (stderr + stdout).trim().split("\n").slice(-15).join("\n");
  throw new LabError(`${argv.join(" ")} ended with exit code ${code}${output ? `:\n${output}` : ""}`);
}

/**
 * Waits until `probe` says so, looking every 50 ms on the monotonic clock.
 * @throws LabError after `seconds`, saying what was waited for.
 */
export async function waitUntil(
  what: string,
  seconds: number,
  probe: () => Promise<boolean> | boolean,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await probe())) {
    if (performance.now() > end) throw new LabError(`waited ${seconds} s for ${what}, in vain`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** Whether there is something at `path`. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
