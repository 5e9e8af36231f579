import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../config/places.ts";
import { archiveOf, type Packed } from "./demo-releases.ts";
import { cached } from "./lab/lib/jars.ts";
import { reindexModule } from "./search-modules.ts";

/** Distributions that local hosts run: engine and version, the Maven artifact, its SHA-256. */
const distributions: Readonly<Record<string, readonly [artifact: string, sha256: string]>> = {
  "opensearch 2.19.5": [
    "org.opensearch.distribution.integ-test-zip:opensearch:zip:2.19.5",
    "caccd4ab24c88a9278922ef626cd1d92990427aa3a3063f9278200d86dbf49b3",
  ],
  "opensearch 2.18.0": [
    "org.opensearch.distribution.integ-test-zip:opensearch:zip:2.18.0",
    "f2c6be31052ff5ab2d98e95bdcb77b0dec923ba1742dfbb294b565410c4dee78",
  ],
  "elasticsearch 7.17.28": [
    "org.elasticsearch.distribution.integ-test-zip:elasticsearch:zip:7.17.28",
    "37004c9bd95165eb41b229204bbb9f311d8099d6db22ec22b2f019664f0a75ab",
  ],
};

/** The archive of one version, as a stack file names it. */
export interface SearchArchive {
  readonly archive: string;
  readonly sha256: string;
}

/**
 * The distribution of an engine as a tar.gz, with the module that copies indexes; the same bytes on every machine.
 *
 * @param engine opensearch or elasticsearch.
 * @throws Error for a version that is not pinned here; LabError when it can't be downloaded.
 */
export async function searchArchive(engine: string, version: string): Promise<SearchArchive> {
  const [artifact, sha256] = distributions[`${engine} ${version}`] ?? [];
  if (artifact === undefined || sha256 === undefined)
    throw new Error(
      `${engine} ${version} is not pinned; allowed: ${Object.keys(distributions).join(", ")} (tools/workshop/search-archives.ts)`,
    );
  const archive = join(cacheFolder(), "search", `${engine}-${version}-reindex.tar.gz`);
  if (!existsSync(archive))
    await pack(await cached({ artifact, sha256 }), archive, await reindexModule(engine, version));
  return {
    archive,
    sha256: createHash("sha256")
      .update(await readFile(archive))
      .digest("hex"),
  };
}

/**
 * A distribution unpacked on this machine, for tests that run nodes on loopback.
 *
 * @returns its folder, which has `bin` and `config`; any account may read it, as engines refuse to run as root.
 */
export async function searchHome(engine: string, version: string): Promise<string> {
  const { archive, sha256 } = await searchArchive(engine, version);
  const folder = join(tmpdir(), `changeover-search-${sha256.slice(0, 12)}`);
  if (!existsSync(folder)) {
    const draft = await mkdtemp(`${folder}.`);
    await promisify(execFile)("tar", ["-xzf", archive, "-C", draft, "--strip-components=1"]);
    await mkdir(join(draft, "plugins"));
    await promisify(execFile)("chmod", ["-R", "a+rX", draft]);
    await rename(draft, folder).catch(() => rm(draft, { recursive: true }));
  }
  return folder;
}

/** A zip has modes only by custom, so programs are told by their folder. */
async function pack(zip: string, archive: string, modules: readonly Packed[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "changeover-search-"));
  try {
    await promisify(execFile)("python3", ["-I", "-m", "zipfile", "-e", zip, folder]);
    const names = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = names
      .filter((entry) => entry.isFile() && !/\.(bat|exe)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));
    const packed = await Promise.all(
      files.map(async (file): Promise<Packed> => {
        const path = relative(folder, file);
        return { path, mode: /^[^/]+\/bin\//.test(path) ? 0o755 : 0o644, content: await readFile(file) };
      }),
    );
    await mkdir(join(archive, ".."), { recursive: true });
    await writeFile(`${archive}.${String(process.pid)}`, archiveOf([...packed, ...modules]));
    await rename(`${archive}.${String(process.pid)}`, archive);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// The lines of `versions` in a stack file.
if (process.argv[1] === import.meta.filename) {
  for (const known of Object.keys(distributions)) {
    const [engine = "", version = ""] = known.split(" ");
    const { archive, sha256 } = await searchArchive(engine, version);
    console.log(`# ${engine}\n${version}: { archive: ${archive}, sha256: ${sha256} }`);
  }
}
