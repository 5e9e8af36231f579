import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type structPb from "google-protobuf/google/protobuf/struct_pb.js";
import { fromStruct } from "./server.ts";

/** How long an interrupted process may take to end, in milliseconds. */
const patience = 5000;

/** A program, a policy pack or a plugin of the project that runs for the engine. */
export type NodeProcess = ChildProcessByStdio<null, Readable, Readable>;

/** How a process ended. `error`: it could not be started. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: string;
}

const running = new Set<ChildProcess>();

/** The words of a line, as a shell would read them. */
function words(line: string): string[] {
  const found = line.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return found.map((word) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}

/**
 * Start Node for a project.
 *
 * @param options the runtime's options in the project file: `nodeargs` and `typescript`.
 * @param script the SDK's entry point, then the words for it.
 * @param env goes over this process's environment.
 */
export function startNode(
  options: structPb.Struct | undefined,
  script: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd?: string,
): NodeProcess {
  const { nodeargs, typescript } = fromStruct(options);
  const started = spawn(process.execPath, [...words(String(nodeargs ?? "")), ...script], {
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      ...env,
      ...(typescript === false ? {} : { PULUMI_NODEJS_TYPESCRIPT: "true" }),
    },
  });
  running.add(started);
  return started;
}

/** Resolves when a process has ended and what it said last has arrived. */
export function endOf(started: NodeProcess): Promise<End> {
  return new Promise((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      running.delete(started);
      resolve({ code, signal });
    };
    started.on("error", (error) => {
      running.delete(started);
      resolve({ code: null, signal: null, error: error.message });
    });
    started.on("close", end);
    // Its children may hold the streams open.
    started.on("exit", (code, signal) => setTimeout(end, patience, code, signal).unref());
  });
}

/** Ask a process to end, and end it when it does not. */
export function interrupt(started: ChildProcess): void {
  started.kill("SIGINT");
  setTimeout(() => started.kill("SIGKILL"), patience).unref();
}

/** The same for every process that runs. */
export function interruptAll(): void {
  for (const started of running) interrupt(started);
}

/** Resolves when all of them have ended. */
export async function endAll(): Promise<void> {
  const ended = [...running].map((started) => new Promise((resolve) => started.once("exit", resolve)));
  interruptAll();
  await Promise.all(ended);
}
