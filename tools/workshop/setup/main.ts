import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chooseCli } from "./cli.ts";
import { packDemoReleases } from "../demo-releases.ts";
import { lastFailure } from "./download.ts";
import { installLauncher } from "./launcher.ts";
import { checkoutFolder, dataFolder, root, toolchainFile } from "../../../config/places.ts";
import { choosePlugins } from "./plugins.ts";
import type { Seen } from "./probe.ts";
import { SetupError, type Voice } from "./run.ts";
import { makeState } from "./state.ts";
import type { Toolchain } from "./toolchain.ts";
import { pluginNames } from "./versions.ts";
import { readJson, writeWhole } from "./files.ts";

const help = `Get what this checkout runs on, and say what is used and why. Does nothing when all is there.

Usage: npm run setup [-- --quiet]

  --quiet   say only what is being got, and what has changed

  Real plugins are preferred: from the folders in CHANGEOVER_PLUGIN_PATH, from PATH, beside the CLI, from the plugin
  cache of the user, by download with a checksum. CHANGEOVER_DOWNLOADS=yes takes those without one too, =no none.
`;

/** What is kept between runs: the choices, and what binaries said of themselves. */
type Kept = Toolchain & { readonly said?: Readonly<Record<string, string>>; readonly seen?: Seen };

function options(): { readonly quiet?: boolean; readonly help?: boolean } {
  try {
    return parseArgs({ options: { quiet: { type: "boolean" }, help: { type: "boolean", short: "h" } } })
      .values;
  } catch (error) {
    console.error(`setup: ${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    process.exit(64);
  }
}

function say(what: string, text: string): void {
  console.error(`setup: ${what.padEnd(9)} ${text}`);
}

/** What is used and why, by thing. */
function described(chosen: Toolchain, cliWhy: string): Record<string, string> {
  const machine = process.env.CHANGEOVER_MACHINE_NODE ?? process.versions.node;
  const fromNpm = chosen.node.startsWith(join(root, "node_modules"));
  const lines: Record<string, string> = {
    node: `${chosen.nodeVersion} (${fromNpm ? `from npm; this machine's is ${machine}` : chosen.node})`,
    pulumi: `${chosen.pulumiVersion} (${cliWhy})`,
  };
  for (const name of pluginNames) {
    const { kind, version, path } = chosen.plugins[name];
    const pretends = name === "aws" ? ": it records what it is asked and changes nothing anywhere" : "";
    const why = kind === "real" ? `(${path})` : `stand-in of this project (no real one was found)${pretends}`;
    lines[name] = `${version} ${why}`;
  }
  const failure = lastFailure();
  const isMissing = pluginNames.some(
    (name) => name !== "language" && chosen.plugins[name].kind === "stand-in",
  );
  if (isMissing && failure) {
    lines.downloads = `of plugins failed (${failure.reason}); CHANGEOVER_DOWNLOADS=yes tries again at once`;
  }
  lines.state = `${dataFolder()}/state, unless you name a backend`;
  return lines;
}

async function main(quiet: boolean): Promise<void> {
  const kept = readJson<Kept>(toolchainFile());
  const seen: Seen = { ...kept?.seen };
  const unused = new Set<string>();
  const voice: Voice = { now: say, passedOver: (text) => unused.add(text) };
  const cli = await chooseCli(seen, voice);
  const pulumiHome = join(checkoutFolder(), "home");
  const plugins = await choosePlugins(cli.path, pulumiHome, seen, voice);
  makeState(dataFolder());
  const { written } = packDemoReleases();
  if (written.length > 0) say("releases", `packed ${written.join(", ")} of the demo application`);
  const chosen: Toolchain = {
    node: process.execPath,
    nodeVersion: process.versions.node,
    pulumi: cli.path,
    pulumiVersion: cli.version,
    pulumiHome,
    path: [join(root, "node_modules", ".bin")],
    plugins,
  };
  installLauncher(chosen);
  const said = {
    ...described(chosen, cli.why),
    ...(unused.size > 0 ? { unused: [...unused].join("; ") } : {}),
  };
  const next = `${JSON.stringify({ ...chosen, said, seen } satisfies Kept, undefined, 2)}\n`;
  if (!kept || readFileSync(toolchainFile(), "utf8") !== next) writeWhole(toolchainFile(), next);
  for (const [what, text] of Object.entries<string>(said)) {
    if (!quiet || kept?.said?.[what] !== text) say(what, text);
  }
}

const { quiet = false, help: wantsHelp } = options();
if (wantsHelp) {
  console.log(help);
} else {
  try {
    await main(quiet);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`setup: ${error.message}`);
    process.exitCode = 1;
  }
}
