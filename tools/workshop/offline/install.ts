import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";

export const standIns = ["language", "command", "random", "aws"] as const;

export type StandIn = (typeof standIns)[number];

const root = join(import.meta.dirname, "..", "..", "..");

export interface Installed {
  readonly name: StandIn;
  readonly version: string;
  /** The launcher that the CLI starts. */
  readonly path: string;
}

/** The version of a stand-in: that of the npm package whose plugin it stands for. */
export function versionOf(standIn: StandIn): string {
  const name = standIn === "language" ? "pulumi" : standIn;
  const file = join(root, "node_modules", "@pulumi", name, "package.json");
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  return version;
}

/**
 * Puts stand-ins where the CLI looks for plugins: those of resources into the plugin cache of `pulumiHome`, the
 * language host into `binDir`, which must be the CLI's own folder (else the CLI warns at each run). Writing them
 * again is harmless, also while a CLI runs, and quick unless a source has changed.
 * @param args.node the Node binary that runs the stand-ins, and through the language host the program.
 */
export async function installOffline(args: {
  readonly pulumiHome: string;
  readonly binDir: string;
  readonly node: string;
  readonly want: readonly StandIn[];
}): Promise<Installed[]> {
  const bundle = await bundled(join(args.pulumiHome, "stand-ins"));
  return args.want.map((name) => {
    const version = versionOf(name);
    const file = name === "language" ? "pulumi-language-nodejs" : `pulumi-resource-${name}`;
    const folder =
      name === "language" ? args.binDir : join(args.pulumiHome, "plugins", `resource-${name}-v${version}`);
    const path = join(folder, file);
    mkdirSync(folder, { recursive: true });
    writeLauncher(path, args.node, join(bundle, `${name}.cjs`), join(args.pulumiHome, "compile-cache"));
    return { name, version, path };
  });
}

/**
 * One file a stand-in, without types and without a search for modules: each run of the CLI starts four of them, and
 * from their sources each would take three times as long.
 */
async function bundled(folder: string): Promise<string> {
  const sources = globSync(join(import.meta.dirname, "*.ts")).sort();
  const hash = createHash("sha256");
  for (const file of [...sources, join(root, "package-lock.json")]) hash.update(readFileSync(file));
  const target = join(folder, hash.digest("hex").slice(0, 16));
  if (existsSync(target)) return target;
  mkdirSync(folder, { recursive: true });
  const draft = mkdtempSync(join(folder, "draft-"));
  const input = Object.fromEntries(standIns.map((name) => [name, join(import.meta.dirname, `${name}.ts`)]));
  // ssh2 does without its native parts, which npm does not build unless told to.
  const bundle = await rolldown({
    input,
    cwd: root,
    platform: "node",
    external: [/\.node$/, "cpu-features"],
  });
  await bundle.write({
    dir: draft,
    format: "cjs",
    minify: true,
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name].cjs",
  });
  await bundle.close();
  try {
    renameSync(draft, target);
  } catch (error) {
    // Another set-up was quicker.
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

function writeLauncher(path: string, node: string, script: string, cache: string): void {
  const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
  const lines = [
    "#!/bin/sh",
    `[ -n "$NODE_COMPILE_CACHE" ] || NODE_COMPILE_CACHE=${quoted(cache)}`,
    "export NODE_COMPILE_CACHE",
    `exec ${quoted(node)} --disable-warning=ExperimentalWarning ${quoted(script)} "$@"`,
  ];
  const draft = `${path}.${String(process.pid)}`;
  writeFileSync(draft, `${lines.join("\n")}\n`);
  chmodSync(draft, 0o755);
  rmSync(path, { force: true, recursive: true });
  renameSync(draft, path);
}
