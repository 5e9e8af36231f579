import { createHash } from "node:crypto";
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { installOffline, versionOf } from "../offline/install.ts";
import { downloadPlugins, downloadsHome } from "./download.ts";
import { root } from "../../../config/places.ts";
import { pluginSaid, type Seen } from "./probe.ts";
import { isExecutable, onPath, type Voice } from "./run.ts";
import { pluginFile, pluginFolder, pluginNames, type PluginName, serves } from "./versions.ts";

/** One plugin, as chosen. */
export interface Plugin {
  readonly kind: "real" | "stand-in";
  readonly version: string;
  readonly path: string;
}

export type Plugins = Readonly<Record<PluginName, Plugin>>;

/** Where a plugin may lie by its bare name: the folders that the user named, PATH, beside the CLI. */
function barePlaces(file: string, cli: string): string[] {
  const named = (process.env.CHANGEOVER_PLUGIN_PATH ?? "").split(delimiter).filter(Boolean);
  const inside = (folder: string) => join(folder, file);
  return [...named.map(inside), ...onPath(file), inside(dirname(realpathSync(cli)))].filter(isExecutable);
}

/** Plugin caches of CLIs: the user's own, and what set-up downloaded. */
function caches(): string[] {
  const homes = [process.env.PULUMI_HOME ?? "", join(homedir(), ".pulumi"), downloadsHome()];
  return homes.filter(Boolean).map((home) => join(home, "plugins"));
}

/** Whether a plugin that names this version is the one that the program asks for. */
export function fits(name: PluginName, said: string, wanted: string): boolean {
  return said === "" || (name === "language" ? serves(said, wanted) : said === wanted);
}

/** The real plugin, if this machine has the right version of it anywhere. */
async function findReal(
  name: PluginName,
  cli: string,
  seen: Seen,
  voice: Voice,
): Promise<Plugin | undefined> {
  const version = versionOf(name);
  const file = pluginFile(name);
  for (const path of new Set(barePlaces(file, cli))) {
    const said = await pluginSaid(name, path, seen);
    if ("problem" in said) voice.passedOver(`${path} is not used: ${said.problem}`);
    else if (fits(name, said.version, version))
      return { kind: "real", version: said.version || version, path };
    else voice.passedOver(`${path} is not used: it is ${said.version}, and ${version} is needed`);
  }
  const folders = caches().map((cache) => join(cache, pluginFolder(name, version)));
  const whole = folders.find(
    (folder) => isExecutable(join(folder, file)) && !existsSync(`${folder}.partial`),
  );
  return whole === undefined ? undefined : { kind: "real", version, path: join(whole, file) };
}

/** Put a real plugin into the plugin cache of set-up's own home, by links, so that the CLI does not warn of its place. */
function link(name: PluginName, plugin: Plugin, home: string): void {
  const folder = join(home, "plugins", pluginFolder(name, versionOf(name)));
  const source = dirname(plugin.path);
  // A folder of a plugin cache is the plugin's own and may hold more than the binary; any other is not.
  const inCache = /-v\d[^/]*$/.test(source);
  const files = inCache ? readdirSync(source) : [pluginFile(name)];
  const linked = () => files.every((file) => linkOf(join(folder, file)) === join(source, file));
  if (linked()) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of files) symlinkSync(join(source, file), join(folder, file));
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Changes whenever a stand-in would be another one. */
function standInStamp(): string {
  const sources = globSync(join(root, "tools", "workshop", "offline", "*.ts")).sort();
  const hash = createHash("sha256").update(process.execPath);
  for (const file of [...sources, join(root, "package-lock.json")]) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}

/** Put a stand-in into the plugin cache of set-up's own home; one that is there already is left alone. */
async function standIn(name: PluginName, home: string, seen: Seen): Promise<Plugin> {
  const version = versionOf(name);
  const folder = join(home, "plugins", pluginFolder(name, version));
  const path = join(folder, pluginFile(name));
  const key = `stand-in ${name}`;
  const stamp = standInStamp();
  if (seen[key]?.stamp !== stamp || !isExecutable(path) || linkOf(path) !== undefined) {
    // What is left of a real plugin goes; a stand-in stays until the next one takes its place.
    if (linkOf(path) !== undefined) rmSync(folder, { recursive: true, force: true });
    await installOffline({ pulumiHome: home, binDir: folder, node: process.execPath, want: [name] });
    seen[key] = { stamp, version };
  }
  return { kind: "stand-in", version, path };
}

/**
 * Choose the plugins and put them into `home`: the real one wherever this machine has it or can download it, else
 * the stand-in of this project.
 */
export async function choosePlugins(cli: string, home: string, seen: Seen, voice: Voice): Promise<Plugins> {
  const find = async () => {
    const found: Partial<Record<PluginName, Plugin>> = {};
    for (const name of pluginNames) found[name] = await findReal(name, cli, seen, voice);
    return found;
  };
  let found = await find();
  const missing = pluginNames.filter((name) => name !== "language" && !found[name]);
  if (missing.length > 0 && (await downloadPlugins(cli, missing, voice))) found = await find();
  const place = async (name: PluginName): Promise<Plugin> => {
    const real = found[name];
    if (!real) return standIn(name, home, seen);
    link(name, real, home);
    return real;
  };
  return {
    language: await place("language"),
    command: await place("command"),
    random: await place("random"),
    aws: await place("aws"),
  };
}
