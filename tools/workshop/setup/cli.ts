import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { arch, platform, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { downloadCli } from "./official.ts";
import { cacheFolder, root } from "../../../config/places.ts";
import { cliVersion, type Seen } from "./probe.ts";
import { isExecutable, lastLines, onPath, run, SetupError, type Voice } from "./run.ts";
import { goProblem, pins, serves } from "./versions.ts";

const buildSeconds = 1800;
const progressSeconds = 10;
const moduleName = "github.com/pulumi/pulumi";

export interface Cli {
  readonly path: string;
  readonly version: string;
  /** Where it comes from, in words. */
  readonly why: string;
}

/** Where the CLI is that set-up itself got. */
export function cachedCli(version: string): string {
  return join(cacheFolder(), `pulumi-${version}`, `${platform()}-${arch()}`, "pulumi");
}

/**
 * The Pulumi CLI to use: the user's where it is new enough, else one that was built or downloaded before, else one
 * built from the Go module, else the official download.
 * @throws SetupError which names the prerequisite that is missing and its cure.
 */
export async function chooseCli(seen: Seen, voice: Voice): Promise<Cli> {
  const { pulumi: wanted, go: goNeeded } = pins();
  for (const path of onPath("pulumi")) {
    const probed = await cliVersion(path, seen);
    if ("problem" in probed) voice.passedOver(`${path} is not used: ${probed.problem}`);
    else if (serves(probed.version, wanted))
      return { path, version: probed.version, why: `${path}, from PATH` };
    else
      voice.passedOver(`${path} is not used: it is ${probed.version}, and 3.x from ${wanted} on is needed`);
  }
  const path = cachedCli(wanted);
  const cached = isExecutable(path) ? await cliVersion(path, seen) : undefined;
  if (cached && "version" in cached && cached.version === wanted) {
    return { path, version: wanted, why: `got by set-up earlier, ${path}` };
  }
  const problems = [await buildCli(path, wanted, goNeeded, voice)];
  if (problems[0] !== undefined) problems.push(await downloadCli(dirname(path), wanted, voice));
  const got = isExecutable(path) ? await cliVersion(path, seen) : undefined;
  if (got && "version" in got) return { path, version: got.version, why: `got by set-up, ${path}` };
  const why = problems.filter((problem) => problem !== undefined).map((problem) => `\n  - ${problem}`);
  throw new SetupError(`there is no Pulumi CLI >= ${wanted} on PATH, and none could be got:${why.join("")}`, [
    "install the Pulumi CLI as pulumi.com/docs/install says, so that `pulumi version` works",
    `or install Go ${goNeeded} or later (go.dev/dl) and let it reach a Go module proxy (GOPROXY), then run this again`,
  ]);
}

/** A Go that can build the CLI, or what is wrong with those that are there. */
async function findGo(needed: string): Promise<[string, undefined] | [undefined, string]> {
  let problem = `there is no Go on PATH (${needed} or later is needed)`;
  for (const go of [...onPath("go"), ...["/usr/local/go/bin/go"].filter(isExecutable)]) {
    const { stdout } = await run([go, "env", "GOVERSION", "GOTOOLCHAIN"], { seconds: 30, cwd: tmpdir() });
    const tooOld = goProblem(stdout, needed);
    if (tooOld === undefined) return [go, undefined];
    problem = `${tooOld} (${go})`;
  }
  return [undefined, problem];
}

/** Build the CLI into its place. @returns what prevented it, or undefined. */
async function buildCli(
  path: string,
  version: string,
  goNeeded: string,
  voice: Voice,
): Promise<string | undefined> {
  const [go, problem] = await findGo(goNeeded);
  if (go === undefined) return `it cannot be built: ${problem}`;
  mkdirSync(dirname(path), { recursive: true });
  const source = mkdtempSync(join(tmpdir(), "changeover-cli-"));
  try {
    cpSync(join(root, "tools", "workshop", "cli"), source, { recursive: true });
    return await compile({ go, source, path, version, voice });
  } finally {
    rmSync(source, { recursive: true, force: true });
  }
}

async function compile(job: { go: string; source: string; path: string; version: string; voice: Voice }) {
  const { path, version, voice } = job;
  const draft = `${path}.${String(process.pid)}`;
  voice.now(
    "pulumi",
    `building ${version} with ${job.go}, once for this machine: 3 to 5 minutes on two cores`,
  );
  const flags = `-s -w -X ${moduleName}/sdk/v3/go/common/version.Version=v${version}`;
  const build = [
    job.go,
    "build",
    "-v",
    "-trimpath",
    "-ldflags",
    flags,
    "-o",
    draft,
    `${moduleName}/pkg/v3/cmd/pulumi`,
  ];
  // Where flock is, a second set-up waits and then finds the first one's; elsewhere both build, and one wins.
  const unlessBuilt = ["sh", "-c", '[ -x "$0" ] || exec "$@"', path, ...build];
  const flock = onPath("flock")[0];
  const argv =
    flock === undefined ? build : [flock, "--wait", String(buildSeconds), `${path}.lock`, ...unlessBuilt];
  const started = performance.now();
  const seconds = () => String(Math.round((performance.now() - started) / 1000));
  const counts = { downloaded: 0, compiled: 0, stale: 0 };
  const ticker = setInterval(() => {
    const { downloaded, compiled, stale } = counts;
    const what = stale > 0 ? `${compiled} of ${stale} packages compiled` : `${downloaded} modules downloaded`;
    voice.now("pulumi", `building: ${seconds()} s, ${what}`);
  }, progressSeconds * 1000);
  try {
    const env = { ...process.env, CGO_ENABLED: "0", GOWORK: "off" };
    const onOutput = (text: string) => {
      for (const line of text.split("\n").filter(Boolean)) {
        if (line.startsWith("go: downloading")) counts.downloaded += 1;
        else counts.compiled += 1;
      }
    };
    // What is to be compiled is known once all modules are there; this fetches them.
    const stale = [job.go, "list", "-trimpath", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}"];
    const listed = await run([...stale, `${moduleName}/pkg/v3/cmd/pulumi`], {
      seconds: buildSeconds,
      cwd: job.source,
      env,
      onOutput,
    });
    counts.stale = listed.code === 0 ? packagesIn(listed.stdout) : 0;
    counts.compiled = 0;
    const { code, output } = await run(argv, { seconds: buildSeconds, cwd: job.source, env, onOutput });
    if (code !== 0) return buildProblem(code, output);
    if (isExecutable(draft)) renameSync(draft, path);
    voice.now("pulumi", `built in ${seconds()} s`);
    return undefined;
  } finally {
    clearInterval(ticker);
    rmSync(draft, { force: true });
  }
}

/** How many packages `go list` named, without the one that is built into the compiler. */
const packagesIn = (text: string): number =>
  text.split("\n").filter((name) => name !== "" && name !== "unsafe").length;

/** Why a build failed, in words, with the end of what Go said. */
export function buildProblem(code: number, output: string): string {
  const errors = output.split("\n").filter((line) => !/^(go: downloading |[\w./-]+$)/.test(line));
  const causes: [RegExp, string][] = [
    [
      /no such host|dial tcp|i\/o timeout|connection refused|TLS handshake|proxyconnect/,
      "no network: Go modules could not be fetched; set GOPROXY to what this machine reaches",
    ],
    [
      /no space left on device/,
      "the disk is full: the build needs about 3 GB for Go's caches (GOCACHE, GOMODCACHE, TMPDIR)",
    ],
    [/toolchain not available|requires go >=/, "Go is too old and could not fetch a newer one"],
    [/signal: killed|cannot allocate memory/, "not enough memory: the build needs about 2 GB"],
  ];
  const cause = causes.find(([pattern]) => pattern.test(output))?.[1];
  return `building it failed (exit code ${String(code)})${cause ? `: ${cause}` : ""}\n${lastLines(errors.join("\n"), 8)}`;
}
