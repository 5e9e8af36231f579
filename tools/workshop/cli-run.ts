import { spawn } from "node:child_process";
import { toolchain } from "./setup/toolchain.ts";

/** What one run of the Pulumi CLI did. */
export interface CliRun {
  readonly code: number | null;
  readonly output: string;
  readonly seconds: number;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Gets a line for each step that ended, and for each line that a step said. */
  readonly narrate?: (line: string) => void;
  /** Hands the terminal to the CLI. */
  readonly interactive?: boolean;
}

const ended = /^ *\S+ +(\S+) +(\S+) +(created replacement|created|updated)(?: \(([\d.]+)s\))?/;
const worthALine = /^(command|aws|random):/;

/** The line that a person reads for a line of the CLI's output; undefined for one that says nothing new. */
export function narrated(line: string): string | undefined {
  const [, type, name, , seconds] = ended.exec(line) ?? [];
  if (name === undefined || type === undefined || !worthALine.test(type)) return undefined;
  if (/-gate$|-id$/.test(name)) return undefined;
  return `   ${name.padEnd(36)} ${(seconds ?? "0").padStart(6)} s`;
}

/** Run the CLI that set-up chose. Its output is kept whole; a failed run has it all. */
export function runPulumi(args: readonly string[], options: CliOptions): Promise<CliRun> {
  const started = performance.now();
  const all = options.interactive ? [...args] : [...args, "--non-interactive", "--color", "never"];
  const child = spawn(toolchain().pulumi, all, {
    cwd: options.cwd,
    env: options.env,
    stdio: options.interactive ? "inherit" : ["ignore", "pipe", "pipe"],
  });
  let [output, rest] = ["", ""];
  const take = (data: Buffer) => {
    output += data.toString();
    const lines = (rest + data.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const told = narrated(line);
      if (told !== undefined) options.narrate?.(told);
    }
  };
  child.stdout?.on("data", take);
  child.stderr?.on("data", take);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, output, seconds: (performance.now() - started) / 1000 });
    });
  });
}
