import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { dataFolder, toolchainFile } from "../../../config/places.ts";
import type { Plugins } from "./plugins.ts";
import { SetupError } from "./run.ts";

export { dataFolder } from "../../../config/places.ts";

/** What set-up chose for this checkout. */
export interface Toolchain {
  /** The Node that runs the program and all tools. */
  readonly node: string;
  readonly nodeVersion: string;
  /** The Pulumi CLI. */
  readonly pulumi: string;
  readonly pulumiVersion: string;
  /** Its home, with the plugins below. */
  readonly pulumiHome: string;
  /** Folders that go first on PATH. */
  readonly path: readonly string[];
  readonly plugins: Plugins;
}

/**
 * What set-up chose.
 * @throws SetupError when set-up has not run in this checkout.
 */
export function toolchain(): Toolchain {
  const file = toolchainFile();
  if (!existsSync(file))
    throw new SetupError(`set-up has not run in this checkout (no ${file})`, ["npm run setup"]);
  return JSON.parse(readFileSync(file, "utf8")) as Toolchain;
}

/** Whether the user told the CLI where state is: by a variable, or by `pulumi login`. */
function hasBackend(env: NodeJS.ProcessEnv): boolean {
  if (env.PULUMI_BACKEND_URL || env.PULUMI_ACCESS_TOKEN) return true;
  const file = join(env.PULUMI_CREDENTIALS_PATH ?? "", "credentials.json");
  return existsSync(file) && /"current": *"[^"]/.test(readFileSync(file, "utf8"));
}

/**
 * The environment in which the CLI finds its plugins, and state and passphrase where `npx pulumi` has them.
 * @param overrides go over this process's environment; undefined removes a variable.
 */
export function pulumiEnvironment(
  overrides: Readonly<Record<string, string | undefined>> = {},
): NodeJS.ProcessEnv {
  const { path, pulumiHome } = toolchain();
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PULUMI_HOME: pulumiHome,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(pulumiHome, "compiled"),
    PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_CREDENTIALS_PATH:
      process.env.PULUMI_CREDENTIALS_PATH || process.env.PULUMI_HOME || join(homedir(), ".pulumi"),
    ...overrides,
  };
  for (const [name, value] of Object.entries(overrides)) if (value === undefined) delete env[name];
  env.PATH = [...path, env.PATH].filter(Boolean).join(delimiter);
  if (hasBackend(env)) return env;
  env.PULUMI_BACKEND_URL = `file://${join(dataFolder(env), "state")}`;
  if (env.PULUMI_CONFIG_PASSPHRASE === undefined)
    env.PULUMI_CONFIG_PASSPHRASE_FILE ??= join(dataFolder(env), "passphrase");
  return env;
}
