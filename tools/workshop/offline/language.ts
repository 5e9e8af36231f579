import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type grpc from "@grpc/grpc-js";
import grpcPb from "@pulumi/pulumi/proto/language_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/language_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import manifest from "@pulumi/pulumi/package.json" with { type: "json" };
import { type End, endAll, endOf, interrupt, interruptAll, startNode } from "./node-process.ts";
import { runPlugin } from "./run-plugin.ts";
import { endWithEngine, engineAddress, fail, serve, unary, Unimplemented } from "./server.ts";

/** The exit code by which the SDK says that the user has already read what is wrong. */
const alreadyExplained = 32;

let engine = engineAddress() ?? "";

interface Package {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly pulumi?: { resource?: boolean; name?: string; version?: string; server?: string };
}

function readPackage(folder: string): Package | undefined {
  const file = join(folder, "package.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Package) : undefined;
}

/** The packages that a program names as its own and that are installed, development ones included. */
function dependenciesOf(folder: string): Package[] {
  const program = readPackage(folder);
  return Object.keys({ ...program?.dependencies, ...program?.devDependencies })
    .map((name) => readPackage(join(folder, "node_modules", name)))
    .filter((found) => found !== undefined);
}

function requiredPackages(folder: string): pluginPb.PackageDependency[] {
  return dependenciesOf(folder)
    .filter(({ pulumi }) => pulumi?.resource)
    .map(({ name = "", version = "", pulumi }) =>
      new pluginPb.PackageDependency()
        .setKind("resource")
        .setName(pulumi?.name ?? name.replace(/^@pulumi\//, ""))
        .setVersion(`v${(pulumi?.version ?? version).replace(/^v/, "")}`)
        .setServer(pulumi?.server ?? ""),
    );
}

function programArguments(request: pb.RunRequest, sdk: string): string[] {
  const info = request.getInfo();
  const named: [string, string | undefined][] = [
    ["monitor", request.getMonitorAddress()],
    ["engine", engine],
    ["organization", request.getOrganization()],
    ["project", request.getProject()],
    ["root-directory", info?.getRootDirectory()],
    ["stack", request.getStack()],
    ["pwd", info?.getProgramDirectory()],
    ["parallel", String(request.getParallel())],
  ];
  return [
    sdk,
    ...named.flatMap(([name, value]) => (value ? [`--${name}`, value] : [])),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    info?.getEntryPoint() || ".",
    ...request.getArgsList(),
  ];
}

/** The SDK still reads config keys with `config` in the middle. */
function programConfig(request: pb.RunRequest): string {
  const entries = request
    .getConfigMap()
    .toArray()
    .map(([key, value]) => [key.replace(":", ":config:").replace(":config:config:", ":config:"), value]);
  return JSON.stringify(Object.fromEntries(entries));
}

/** What the engine is told of the program's end: anything but a clean exit fails the run, else it would delete. */
function verdict({ code, signal, error }: End): pb.RunResponse {
  const response = new pb.RunResponse();
  if (code === alreadyExplained) return response.setBail(true);
  if (error !== undefined) return response.setError(`Program could not be started: ${error}`);
  if (signal !== null) return response.setError(`Program was killed by ${signal}`);
  if (code !== 0) return response.setError(`Program exited with non-zero exit code: ${String(code)}`);
  return response;
}

async function run(
  request: pb.RunRequest,
  call: grpc.ServerUnaryCall<pb.RunRequest, pb.RunResponse>,
): Promise<pb.RunResponse> {
  const folder = request.getInfo()?.getProgramDirectory() ?? process.cwd();
  const sdk = createRequire(join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  const program = startNode(request.getInfo()?.getOptions(), programArguments(request, sdk), {
    PULUMI_CONFIG: programConfig(request),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
  });
  call.on("cancelled", () => {
    interrupt(program);
  });
  program.stdout.pipe(process.stdout, { end: false });
  program.stderr.pipe(process.stderr, { end: false });
  return verdict(await endOf(program));
}

function installDependencies(
  call: grpc.ServerWritableStream<pb.InstallDependenciesRequest, pb.InstallDependenciesResponse>,
): void {
  const npm = spawn("npm", ["install", "--loglevel=error"], {
    cwd: call.request.getInfo()?.getProgramDirectory() ?? process.cwd(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  npm.stdout.on("data", (data: Buffer) => call.write(new pb.InstallDependenciesResponse().setStdout(data)));
  npm.stderr.on("data", (data: Buffer) => call.write(new pb.InstallDependenciesResponse().setStderr(data)));
  npm.on("error", (error) => {
    fail(call, `npm install could not be started: ${error.message}`);
  });
  npm.on("close", (code) => {
    if (code === 0) call.end();
    else fail(call, `npm install ended with exit code ${String(code)}`);
  });
}

const unimplemented = unary(() => {
  throw new Unimplemented("the stand-in language host has no such call");
});

const served = serve(grpcPb.LanguageRuntimeService, {
  handshake: unary((request: pb.LanguageHandshakeRequest) => {
    engine = request.getEngineAddress() || engine;
    return new pb.LanguageHandshakeResponse();
  }),
  getPluginInfo: unary(() => new pluginPb.PluginInfo().setVersion(manifest.version)),
  getRequiredPackages: unary((request: pb.GetRequiredPackagesRequest) =>
    new pb.GetRequiredPackagesResponse().setPackagesList(
      requiredPackages(request.getInfo()?.getProgramDirectory() ?? "."),
    ),
  ),
  getRequiredPlugins: unimplemented,
  run: unary(run),
  installDependencies,
  runtimeOptionsPrompts: unary(() => new pb.RuntimeOptionsResponse()),
  template: unary(() => new pb.TemplateResponse()),
  about: unary(() => new pb.AboutResponse().setExecutable(process.execPath).setVersion(process.version)),
  getProgramDependencies: unary((request: pb.GetProgramDependenciesRequest) =>
    new pb.GetProgramDependenciesResponse().setDependenciesList(
      dependenciesOf(request.getInfo()?.getProgramDirectory() ?? ".").map(({ name = "", version = "" }) =>
        new pb.DependencyInfo().setName(name).setVersion(version),
      ),
    ),
  ),
  cancel: unary(() => {
    interruptAll();
    return new emptyPb.Empty();
  }),
  generateProgram: unimplemented,
  generateProject: unimplemented,
  generatePackage: unimplemented,
  pack: unimplemented,
  link: unimplemented,
  runPlugin,
});

void served.then(() => endWithEngine(endAll, false));
