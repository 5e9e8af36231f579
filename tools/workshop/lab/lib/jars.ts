import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type maven from "mvn-artifact-download";
import { cacheFolder } from "../../../../config/places.ts";
import { LabError, exists } from "./run.ts";

// Required, as the default of its default is another thing when vitest imports it.
const { default: fetched } = createRequire(import.meta.url)("mvn-artifact-download") as typeof maven;

/** Seconds that one download may take. */
const downloadDeadline = 180;

/** A file of the image that comes from Maven Central. */
interface Jar {
  /** Where it goes, from /opt/apollo. */
  readonly place: string;
  readonly artifact: string;
  readonly sha256: string;
}

function parse(manifest: string): Jar[] {
  const rows = manifest.trim().split("\n");
  return rows.map((row) => {
    const [place = "", artifact = "", sha256 = ""] = row.split(" ");
    return { place, artifact, sha256 };
  });
}

const sha256Of = async (file: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(file))
    .digest("hex");

/** A body that breaks off leaves the promise of this client open: the deadline ends it. */
async function download(artifact: string, folder: string): Promise<string> {
  const repository = process.env["CHANGEOVER_MAVEN"]?.replace(/\/*$/, "/");
  const cure = "let this machine reach Maven Central, or name a mirror in CHANGEOVER_MAVEN";
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`not done after ${downloadDeadline} s`)),
      downloadDeadline * 1000,
    );
  });
  try {
    return await Promise.race([fetched(artifact, folder, repository), late]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LabError(`${artifact} could not be downloaded: ${why}; ${cure}`);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The file in the cache, downloaded and checked when it is not there.
 * @throws LabError when it cannot be had or is not what was pinned.
 */
export async function cached({ artifact, sha256 }: Omit<Jar, "place">): Promise<string> {
  const store = join(cacheFolder(), "jars");
  const kept = join(store, sha256);
  if (await exists(kept)) return kept;
  await mkdir(store, { recursive: true });
  const folder = await mkdtemp(join(store, ".download-"));
  try {
    console.error(`lab: image: downloading ${artifact}`);
    const file = await download(artifact, folder);
    const found = await sha256Of(file);
    if (found !== sha256)
      throw new LabError(`${artifact} has sha256 ${found}, expected is ${sha256}: it is not used`);
    await rename(file, kept);
    return kept;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Lays the files that `manifest` lists (place, Maven artifact, sha256 in each line) into `folder`.
 * @throws LabError when one cannot be had or is not what was pinned.
 */
export async function layJars(manifest: string, folder: string): Promise<void> {
  for (const jar of parse(await readFile(manifest, "utf8"))) {
    const target = join(folder, jar.place);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(await cached(jar), target);
  }
}
