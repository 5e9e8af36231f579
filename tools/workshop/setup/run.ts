import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A problem that a person can cure; its message is all that is printed. */
export class SetupError extends Error {
  constructor(problem: string, cures: readonly string[]) {
    super([problem, ...cures.map((cure) => `  cure: ${cure}`)].join("\n"));
  }
}

/** How set-up speaks, about one thing at a time. */
export interface Voice {
  /** Said at once: something takes time, or failed. */
  readonly now: (what: string, text: string) => void;
  /** Why something that is there is not used; said with the choices. */
  readonly passedOver: (text: string) => void;
}

export interface Ended {
  /** Exit code; -1 when it could not be started, was killed, or ran past its deadline. */
  readonly code: number;
  readonly stdout: string;
  /** Both streams as they came. */
  readonly output: string;
}

/** Run a command to its end or to its deadline. Never throws: what went wrong is in the output. */
export function run(
  argv: readonly string[],
  options: {
    readonly seconds: number;
    readonly env?: NodeJS.ProcessEnv;
    readonly cwd?: string;
    readonly onOutput?: (text: string) => void;
  },
): Promise<Ended> {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.seconds * 1000,
    killSignal: "SIGKILL",
  });
  let [stdout, output] = ["", ""];
  const take = (text: string) => {
    output += text;
    options.onOutput?.(text);
  };
  child.stdout.on("data", (data: Buffer) => {
    stdout += data.toString();
    take(data.toString());
  });
  child.stderr.on("data", (data: Buffer) => {
    take(data.toString());
  });
  return new Promise((resolve) => {
    child.on("error", (error) => {
      resolve({ code: -1, stdout, output: `${output}${error.message}\n` });
    });
    child.on("close", (code, signal) => {
      const late =
        signal === "SIGKILL" ? `${file} was ended (its deadline: ${String(options.seconds)} s)\n` : "";
      resolve({ code: code ?? -1, stdout, output: output + late });
    });
  });
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Every executable of this name on a PATH, in its order. What npm put there is ours or a package's, not the machine's. */
export function onPath(name: string, path: string = process.env.PATH ?? ""): string[] {
  const folders = path.split(delimiter).filter((folder) => folder && !folder.includes("node_modules"));
  return [...new Set(folders)].map((folder) => join(folder, name)).filter(isExecutable);
}

/** The end of a long output, for a message. */
export function lastLines(text: string, lines = 15): string {
  return text.trim().split("\n").slice(-lines).join("\n");
}
