import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { Output } from "./output.ts";
import type { Context, Resource } from "./provider.ts";
import {
  assetArchive,
  fileAsset,
  isObject,
  plain,
  plainProperties,
  type Properties,
  type Value,
} from "./values.ts";
import { faults, uniqueId } from "./inputs.ts";

const strings = (value: Value | undefined): string[] => (Array.isArray(value) ? value.map(String) : []);

function environmentOf(inputs: Properties, before: Properties): NodeJS.ProcessEnv {
  const own = isObject(inputs.environment) ? inputs.environment : {};
  const previous = Object.fromEntries(
    ["stdout", "stderr"]
      .map((name) => [`PULUMI_COMMAND_${name.toUpperCase()}`, before[name]] as const)
      .filter(([, value]) => typeof value === "string" && value !== ""),
  );
  return {
    ...process.env,
    // Ours, for a quick start; not the command's.
    NODE_COMPILE_CACHE: undefined,
    ...Object.fromEntries(Object.entries(own).map(([name, value]) => [name, String(value)])),
    ...(inputs.addPreviousOutputInEnv === false ? {} : (previous as NodeJS.ProcessEnv)),
  };
}

/** As Go, in which the real plugin is written, puts them. */
const signalNames: Record<string, string> = {
  SIGHUP: "hangup",
  SIGINT: "interrupt",
  SIGKILL: "killed",
  SIGTERM: "terminated",
};

function execute(command: string, inputs: Properties, before: Properties, context: Context): Promise<Output> {
  const [program = "/bin/sh", ...args] =
    inputs.interpreter == null ? ["/bin/sh", "-c"] : strings(inputs.interpreter);
  const output = new Output(context, inputs.logging);
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, command], {
      cwd: typeof inputs.dir === "string" ? inputs.dir : process.cwd(),
      env: environmentOf(inputs, before),
      stdio: ["pipe", "pipe", "pipe"],
    });
    const kill = () => child.kill("SIGKILL");
    context.signal.addEventListener("abort", kill, { once: true });
    child.on("error", (error) => reject(output.failure(error.message, command)));
    output.take("stdout", child.stdout);
    output.take("stderr", child.stderr);
    // A command may end without reading what it was given.
    child.stdin.on("error", () => undefined);
    child.stdin.end(typeof inputs.stdin === "string" ? inputs.stdin : "");
    // Not before its children have let go of its streams too, as with the real plugin.
    child.on("close", (code, signal) => {
      context.signal.removeEventListener("abort", kill);
      if (code === 0) resolve(output);
      else
        reject(
          output.failure(
            signal ? `signal: ${signalNames[signal] ?? signal}` : `exit status ${String(code)}`,
            command,
          ),
        );
    });
  });
}

async function run(
  command: string,
  given: Properties,
  before: Properties,
  context: Context,
): Promise<Properties> {
  const inputs = plainProperties(given);
  const output = await execute(command, inputs, plainProperties(before), context);
  const folder = typeof inputs.dir === "string" ? inputs.dir : process.cwd();
  const archive = () => {
    const assets = globbed(folder, strings(inputs.archivePaths));
    return assetArchive(assets, createHash("sha256").update(JSON.stringify(assets)).digest("hex"));
  };
  return {
    ...output.outputs(),
    ...(inputs.assetPaths != null && { assets: globbed(folder, strings(inputs.assetPaths)) }),
    ...(inputs.archivePaths != null && { archive: archive() }),
  };
}

/** The files below a folder that the patterns name, as assets; `!` takes out what an earlier pattern took in. */
function globbed(folder: string, patterns: readonly string[]): Properties {
  const rules = patterns.map((pattern) => ({
    out: pattern.startsWith("!"),
    matches: expressionOf(pattern.replace(/^!/, "")),
  }));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => posix.relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => rules.findLast(({ matches }) => matches.test(path))?.out === false);
  const hash = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  const asset = (path: string) => fileAsset(path, hash(path));
  return Object.fromEntries(files.sort().map((path) => [path, asset(posix.join(folder, path))]));
}

function expressionOf(pattern: string): RegExp {
  const special: Record<string, string> = {
    "**": ".*",
    "*": "[^/]*",
    "?": "[^/]",
    "{": "(?:",
    "}": ")",
    ",": "|",
  };
  const source = pattern.replace(/\*\*|[*?{},]|[.+^$()|\\]/g, (part) => special[part] ?? `\\${part}`);
  return new RegExp(`^${source}$`);
}

const inputs = {
  create: "string",
  update: "string",
  delete: "string",
  triggers: "array",
  stdin: "string",
  logging: "string",
  interpreter: "array",
  dir: "string",
  environment: "object",
  assetPaths: "array",
  archivePaths: "array",
  addPreviousOutputInEnv: "boolean",
};

/** `command:local:Command`: a command on the machine that runs the CLI. */
export const localCommand: Resource = {
  inputs,
  computed: ["stdout", "stderr"],
  previewId: uniqueId,
  renewed: ["stdout", "stderr"],
  replaces: (path) => path === "triggers",
  check: (given) => ({ inputs: given, failures: faults("local.CommandInputs", inputs, [], given) }),
  create: async (given, context) => {
    const command = plain(given.create ?? null);
    const said =
      typeof command === "string" ? await run(command, given, {}, context) : { stdout: "", stderr: "" };
    return { id: uniqueId(context.name), outputs: { ...given, ...said } };
  },
  update: async (given, state, context) => {
    const command = plain(given.update ?? given.create ?? null);
    const { stdout = "", stderr = "", assets, archive } = state;
    const kept = { stdout, stderr, assets, archive };
    return {
      ...given,
      ...kept,
      ...(typeof command === "string" && (await run(command, given, state, context))),
    };
  },
  delete: async (state, context) => {
    const command = plain(state.delete ?? null);
    if (typeof command === "string") await run(command, state, state, context);
  },
};

/** `command:local:run`: a command that runs at each evaluation of the program, previews included. */
export async function localRun(args: Properties, context: Context): Promise<Properties> {
  return { ...args, ...(await run(String(plain(args.command ?? "")), args, {}, context)) };
}
