import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { arch } from "node:os";
import { join } from "node:path";
import { withLock } from "./lock.ts";
import { LabError, exists, tryRun } from "./run.ts";

const recipe = join(import.meta.dirname, "..", "image");
const store = "/var/cache/changeover/images";
const release = "bookworm";

/** Seconds that a build may take, and that another run waits for it. */
const buildDeadline = 900;

/** A key that changes with every file of the recipe. */
async function recipeKey(): Promise<string> {
  const hash = createHash("sha256").update(`${release} ${arch()}`);
  const entries = await readdir(recipe, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort())
    hash.update(`\0${file.slice(recipe.length)}\0`).update(await readFile(file));
  return hash.digest("hex").slice(0, 12);
}

/** What apt on this machine knows: its sources of our release, and how it fetches. */
async function machineApt(): Promise<{ mirror: string; sources: string; conf: string }> {
  const format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
  const listed = await tryRun(["apt-get", "indextargets", "--format", format, "Created-By: Packages"]);
  const known = listed.code === 0 ? listed.stdout.split("\n").map((line) => line.split(" ")) : [];
  const ours = known.filter(([, suite]) => suite?.split(/[-/]/)[0] === release);
  const mirror = ours.find(([, suite, component]) => suite === release && component === "main")?.[0] ?? "";
  const settings = await tryRun(["apt-config", "dump"]);
  const fetching = settings.stdout
    .split("\n")
    .filter((line) => /^Acquire::(http|https|Check-|Retries|ForceIPv)/.test(line));
  return {
    mirror,
    sources: mirror ? ours.map((words) => `deb ${words.join(" ")}\n`).join("") : "",
    conf: [...fetching, 'Acquire::https::CAInfo "/machine-ca.crt";', ""].join("\n"),
  };
}

/** Lines of the build that a person follows; all of it goes to the log. */
function narrate(line: string): void {
  if (line.startsWith("lab: ")) console.error(line);
}

const progressSeconds = 10;

/** Says every ten seconds what the build is at, by its last whole line: a person sees that it goes on. */
function tell(started: number): { readonly onStdout: (text: string) => void; readonly end: () => void } {
  let last = "";
  const ticker = setInterval(() => {
    const seconds = Math.round((performance.now() - started) / 1000);
    console.error(`lab: image: ${seconds} s: ${last.slice(0, 100) || "begun"}`);
  }, progressSeconds * 1000);
  const onStdout = (text: string) => (last = text.trimEnd().split("\n").at(-1)?.trim() || last);
  return { onStdout, end: () => clearInterval(ticker) };
}

async function build(kind: "base" | "layer", key: string, rest: readonly string[]): Promise<void> {
  const apt = await machineApt();
  const proxy = /Acquire::http::Proxy "([^"]+)"/.exec(apt.conf)?.[1];
  const building = join(store, `.building-${key}`);
  const log = join(store, `${key}.log`);
  const started = performance.now();
  const progress = tell(started);
  try {
    await rm(building, { recursive: true, force: true });
    await mkdir(building, { recursive: true });
    const [sources, conf] = [join(building, "sources"), join(building, "apt.conf")];
    await writeFile(sources, apt.sources, { mode: 0o600 });
    await writeFile(conf, apt.conf, { mode: 0o600 });
    const jars = join(building, "jars");
    // Loaded where an image is made, and not on every machine that has hosts.
    if (kind === "base") await (await import("./jars.ts")).layJars(join(recipe, "jars"), jars);
    const words = [
      kind,
      join(building, "root"),
      apt.mirror,
      sources,
      conf,
      ...(kind === "base" ? [jars] : rest),
    ];
    // Dies with this process: an orphan would go on writing where the next build begins.
    const built = await tryRun(
      ["setpriv", "--pdeathsig", "KILL", "bash", join(recipe, "build.sh"), ...words],
      {
        deadline: buildDeadline,
        onStderr: narrate,
        onStdout: progress.onStdout,
        ...(proxy ? { env: { http_proxy: proxy } } : {}),
      },
    );
    await writeFile(log, built.stdout + built.stderr);
    if (built.code !== 0) {
      const end = (built.stdout + built.stderr).trim().split("\n").slice(-12).join("\n");
      throw new LabError(
        `the host image could not be built (exit code ${built.code}; all of it: ${log}):\n${end}`,
      );
    }
    await forgetApt(building);
    await rename(building, join(store, key));
    console.error(`lab: image: ${key} made in ${Math.round((performance.now() - started) / 1000)} s`);
  } finally {
    progress.end();
    await rm(building, { recursive: true, force: true });
  }
}

/** An address of a proxy may have a password in it: it is needed while the image is made, and no longer. */
const forgetApt = (folder: string): Promise<unknown> =>
  Promise.all(["sources", "apt.conf"].map((name) => rm(join(folder, name), { force: true })));

async function ensure(kind: "base" | "layer", key: string, rest: readonly string[]): Promise<string> {
  const root = join(store, key, "root");
  // Images of earlier releases still have them.
  await forgetApt(join(store, key));
  if (await exists(root)) return root;
  await mkdir(store, { recursive: true });
  return withLock(`image-${key}`, buildDeadline, async () => {
    if (!(await exists(root))) await build(kind, key, rest);
    return root;
  });
}

/**
 * The directories of the host image, lowest first: the base and, with `extra` packages, a layer over it.
 * They are made when they are missing (about a minute for the base, once for each recipe).
 * @throws LabError with the end of the log when a build fails or takes longer than 15 minutes.
 */
export async function image(extra: readonly string[] = []): Promise<readonly string[]> {
  const baseKey = await recipeKey();
  const base = await ensure("base", baseKey, []);
  const packages = [...new Set(extra)].sort();
  if (packages.length === 0) return [base];
  const layerKey = createHash("sha256")
    .update(`${baseKey} ${packages.join(" ")}`)
    .digest("hex")
    .slice(0, 12);
  return [base, await ensure("layer", layerKey, [base, ...packages])];
}
