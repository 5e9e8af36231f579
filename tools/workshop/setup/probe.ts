import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import type { ServiceError } from "@grpc/grpc-js";
import { run } from "./run.ts";
import type { PluginName } from "./versions.ts";

const answerSeconds = 10;

/** What binaries said of themselves, by path, so that they are asked again only when they change. */
export type Seen = Record<string, { readonly stamp: string; readonly version: string }>;

/** The version that a binary names, or why it names none. */
export type Probed = { readonly version: string } | { readonly problem: string };

async function remembered(file: string, seen: Seen, ask: () => Promise<Probed>): Promise<Probed> {
  const { size, mtimeMs } = statSync(file);
  const stamp = `${String(size)} ${String(mtimeMs)}`;
  const known = seen[file];
  if (known?.stamp === stamp) return known;
  const probed = await ask();
  if ("version" in probed) seen[file] = { stamp, version: probed.version };
  return probed;
}

/** The version of a Pulumi CLI, without `v`. */
export function cliVersion(file: string, seen: Seen): Promise<Probed> {
  return remembered(file, seen, async () => {
    const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
    const { code, stdout, output } = await run([file, "version"], { seconds: answerSeconds, env });
    const version = /^v(\d\S*)/m.exec(stdout)?.[1];
    if (code === 0 && version !== undefined) return { version };
    return { problem: output.trim().split("\n").at(-1) ?? "it says nothing" };
  });
}

/** The version of a plugin; `""` when it is one that names none, as plugins built by hand are. */
export function pluginSaid(name: PluginName, file: string, seen: Seen): Promise<Probed> {
  return remembered(file, seen, () => askPlugin(name, file));
}

/** Start a plugin as the engine does, which is told a port on its first line, and ask it. */
async function askPlugin(name: PluginName, file: string): Promise<Probed> {
  const child = spawn(file, ["127.0.0.1:9"], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const port = await new Promise<number>((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new Error(`it named no port within ${String(answerSeconds)} s`));
      }, answerSeconds * 1000);
      late.unref();
      child.on("error", reject);
      child.on("exit", (code, signal) => {
        reject(new Error(`it ended at once (${signal ?? `exit code ${String(code)}`})`));
      });
      let text = "";
      child.stdout.on("data", (data: Buffer) => {
        text += data.toString();
        if (/^\d+\s/.test(text)) resolve(Number.parseInt(text, 10));
      });
    });
    return { version: await versionAt(name, port) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  } finally {
    child.kill("SIGKILL");
  }
}

async function versionAt(name: PluginName, port: number): Promise<string> {
  const { default: grpc } = await import("@grpc/grpc-js");
  const { default: empty } = await import("google-protobuf/google/protobuf/empty_pb.js");
  const { default: language } = await import("@pulumi/pulumi/proto/language_grpc_pb.js");
  const { default: provider } = await import("@pulumi/pulumi/proto/provider_grpc_pb.js");
  const Client = name === "language" ? language.LanguageRuntimeClient : provider.ResourceProviderClient;
  const client = new Client(`127.0.0.1:${String(port)}`, grpc.credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      const deadline = Date.now() + answerSeconds * 1000;
      const answer = (error: ServiceError | null, info?: { getVersion(): string }) => {
        if (error) reject(new Error(error.details || error.message));
        else resolve((info?.getVersion() ?? "").replace(/^v/, ""));
      };
      client.getPluginInfo(new empty.Empty(), new grpc.Metadata(), { deadline }, answer);
    });
  } finally {
    client.close();
  }
}
