import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder } from "../../../config/places.ts";
import { ensureCommands } from "../setup/debian.ts";
import { isExecutable, lastLines, onPath, run, SetupError } from "../setup/run.ts";

const installSeconds = 900;

/** A program that checks or runs the CI files, got once for this machine from the registry of its language. */
interface Tool {
  readonly version: string;
  /** Where it is in its folder. */
  readonly file: string;
  readonly takes: string;
  /** What it runs itself, and the Debian package of each. */
  readonly starts?: Readonly<Record<string, string>>;
  /** The command that puts it into a folder, and its environment. @throws SetupError when a prerequisite is missing. */
  readonly install: (folder: string) => Promise<readonly [argv: string[], env?: Record<string, string>]>;
}

const tools = {
  actionlint: goTool("github.com/rhysd/actionlint/cmd/actionlint", "1.7.12", "about 10 s"),
  act: goTool("github.com/nektos/act", "0.2.89", "1 to 3 minutes on two cores"),
  zizmor: {
    version: "1.32.0",
    file: "bin/zizmor",
    takes: "a few seconds",
    install: async (folder) => {
      await ensureCommands({ pip3: "python3-pip" }, "zizmor");
      const quiet = ["--quiet", "--disable-pip-version-check", "--no-deps"];
      return [["pip3", "install", ...quiet, "--target", folder, "zizmor==1.32.0"]];
    },
  },
  "gitlab-ci-local": {
    version: "4.75.1",
    file: "node_modules/gitlab-ci-local/dist/index.js",
    takes: "a few seconds",
    starts: { rsync: "rsync" },
    install: (folder) => {
      const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
      return Promise.resolve([["npm", "install", "--prefix", folder, ...quiet, "gitlab-ci-local@4.75.1"]]);
    },
  },
} satisfies Record<string, Tool>;

export type ToolName = keyof typeof tools;

function goTool(module: string, version: string, takes: string): Tool {
  return {
    version,
    file: module.split("/").at(-1) ?? module,
    takes,
    install: (folder) => {
      const [go] = [...onPath("go"), ...["/usr/local/go/bin/go"].filter(isExecutable)];
      if (go === undefined) throw new SetupError("there is no Go on PATH", ["install Go"]);
      const env = { GOBIN: folder, GOWORK: "off", CGO_ENABLED: "0" };
      return Promise.resolve([[go, "install", "-trimpath", `${module}@v${version}`], env]);
    },
  };
}

/** What installers say where they reach no registry. */
const noNetwork =
  /no such host|dial tcp|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|NewConnectionError|Name or service not known|Temporary failure in name resolution|Network is unreachable|proxyconnect|i\/o timeout|from versions: none|GOPROXY=off/;

type Got = { readonly path: string } | { readonly missing: string };

const asked = new Map<ToolName, Promise<Got>>();

/**
 * A tool, from the cache or freshly got; asked for once a process.
 * @returns the path of its file, or the reason why this machine cannot have it: no network, or a missing prerequisite.
 * @throws when it can be fetched and cannot be installed.
 */
export function ciTool(name: ToolName): Promise<Got> {
  const known = asked.get(name) ?? find(name);
  asked.set(name, known);
  return known;
}

async function find(name: ToolName): Promise<Got> {
  const { version, starts = {} }: Tool = tools[name];
  try {
    await ensureCommands(starts, name);
    return await get(name);
  } catch (error) {
    if (error instanceof SetupError) return { missing: `${name} ${version} cannot be had: ${error.message}` };
    throw error;
  }
}

async function get(name: ToolName): Promise<Got> {
  const { version, file, takes, install }: Tool = tools[name];
  const folder = join(cacheFolder(), "ci", `${name}-${version}`);
  const path = join(folder, file);
  if (existsSync(path)) return { path };
  mkdirSync(dirname(folder), { recursive: true });
  const draft = mkdtempSync(`${folder}-`);
  try {
    const [argv, env] = await install(draft);
    console.log(`getting ${name} ${version}, once for this machine: ${takes}`);
    const { code, output } = await run(argv, { seconds: installSeconds, env: { ...process.env, ...env } });
    if (code !== 0) {
      const cause = output.split("\n").find((line) => noNetwork.test(line));
      if (cause !== undefined) return { missing: `${name} ${version} could not be fetched: ${cause}` };
      throw new Error(`${argv.join(" ")} failed (exit code ${code})\n${lastLines(output, 5)}`);
    }
    // Another run may have been faster.
    if (!existsSync(folder)) renameSync(draft, folder);
    return { path };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
