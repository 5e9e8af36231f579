import { createRequire } from "node:module";
import { join } from "node:path";
import type grpc from "@grpc/grpc-js";
import type analyzerPb from "@pulumi/pulumi/proto/analyzer_pb.js";
import pb from "@pulumi/pulumi/proto/language_pb.js";
import { type End, endOf, interrupt, type NodeProcess, startNode } from "./node-process.ts";
import { PolicyProxy } from "./policy-proxy.ts";
import { fail } from "./server.ts";

type Call = grpc.ServerWritableStream<pb.RunPluginRequest, pb.RunPluginResponse>;

/** Run a plugin that is a Node project: a policy pack, or a provider. It ends when the engine takes back its call. */
export function runPlugin(call: Call): void {
  const done = call.request.getKind() === "analyzer" ? runPolicyPack(call) : runProvider(call);
  void done.catch((error: unknown) => {
    fail(call, error instanceof Error ? error.message : String(error));
  });
}

async function runProvider(call: Call): Promise<void> {
  const { folder, options, env } = projectOf(call);
  const script = [entryPoint(folder, "run-plugin"), folder, ...call.request.getArgsList()];
  const plugin = startNode(options, script, env, call.request.getPwd());
  plugin.stdout.on("data", (data: Buffer) => call.write(new pb.RunPluginResponse().setStdout(data)));
  finish(call, "plugin", await endWith(call, plugin));
}

async function runPolicyPack(call: Call): Promise<void> {
  const { folder, options, env } = projectOf(call);
  const script = [entryPoint(folder, "run-policy-pack"), ...call.request.getArgsList(), folder];
  const proxy = await PolicyProxy.start();
  call.on("cancelled", () => {
    proxy.close("the engine ended the policy pack");
  });
  say(call, `${String(proxy.port)}\n`);
  const stack = await proxy.stack;
  if (call.cancelled) return;
  // Packs have always run in their own folder.
  const pack = startNode(options, script, { ...env, ...(stack ? stackVariables(stack) : {}) }, folder);
  const ended = endWith(call, pack);
  try {
    await proxy.attach(await portOf(call, pack, ended));
  } catch (error) {
    interrupt(pack);
    proxy.close((error as Error).message);
    throw error;
  }
  const end = await ended;
  proxy.close(`the policy pack has ended: ${inWords(end)}`);
  finish(call, "policy pack", end);
}

/**
 * The port that a pack prints first; what it prints later is passed on.
 * @throws when the pack never serves.
 */
async function portOf(call: Call, pack: NodeProcess, ended: Promise<End>): Promise<number> {
  let said = "";
  const line = await new Promise<string>((resolve, reject) => {
    void ended.then((end) => {
      reject(new Error(`the policy pack ended before it served: ${inWords(end)}`));
    });
    pack.stdout.on("data", function first(data: Buffer) {
      said += data.toString();
      const end = said.indexOf("\n");
      if (end < 0) return;
      pack.stdout.off("data", first);
      pack.stdout.on("data", (more: Buffer) => say(call, more));
      say(call, said.slice(end + 1));
      resolve(said.slice(0, end).trim());
    });
  });
  if (!/^\d+$/.test(line))
    throw new Error(`the policy pack printed "${line}" where the engine expects its port`);
  return Number(line);
}

/** The SDK of the pack knows the stack by these. */
const stackVariables = (stack: analyzerPb.AnalyzerStackConfigureRequest): Record<string, string> => ({
  PULUMI_NODEJS_ORGANIZATION: stack.getOrganization(),
  PULUMI_NODEJS_PROJECT: stack.getProject(),
  PULUMI_NODEJS_STACK: stack.getStack(),
  PULUMI_NODEJS_DRY_RUN: String(stack.getDryRun()),
  PULUMI_CONFIG: JSON.stringify(Object.fromEntries(stack.getConfigMap().toArray())),
});

function projectOf(call: Call) {
  const info = call.request.getInfo();
  const env = call.request.getEnvList().map((line): [string, string] => {
    const [name = ""] = line.split("=", 1);
    return [name, line.slice(name.length + 1)];
  });
  return {
    folder: info?.getProgramDirectory() || call.request.getProgram(),
    options: info?.getOptions(),
    env: Object.fromEntries(env),
  };
}

/** @throws when the project has no SDK. */
function entryPoint(folder: string, name: string): string {
  try {
    return createRequire(join(folder, "package.json")).resolve(`@pulumi/pulumi/cmd/${name}`);
  } catch {
    throw new Error(`@pulumi/pulumi is not installed for ${folder}; run: npm install --prefix ${folder}`);
  }
}

/** Resolves when a plugin has ended, by itself or because the engine no longer wants it. */
async function endWith(call: Call, plugin: NodeProcess): Promise<End> {
  plugin.stderr.on("data", (data: Buffer) => call.write(new pb.RunPluginResponse().setStderr(data)));
  call.on("cancelled", () => {
    interrupt(plugin);
  });
  if (call.cancelled) interrupt(plugin);
  return endOf(plugin);
}

const say = (call: Call, text: string | Buffer): void => {
  if (text.length > 0) call.write(new pb.RunPluginResponse().setStdout(Buffer.from(text)));
};

const inWords = ({ code, signal, error }: End): string =>
  error ?? (signal === null ? `exit code ${String(code)}` : `killed by ${signal}`);

function finish(call: Call, what: string, end: End): void {
  if (end.code === null) {
    fail(call, `the ${what} has ended: ${inWords(end)}`);
    return;
  }
  call.write(new pb.RunPluginResponse().setExitcode(end.code));
  call.end();
}
