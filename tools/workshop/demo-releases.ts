import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { root } from "../../config/places.ts";

/** The releases of the demo application, and the file of `faults/` that a bad one starts instead. */
export const demoReleases: Readonly<Record<string, string | undefined>> = {
  "4684": undefined,
  "4685": undefined,
  "4686-never-ready": "never-ready",
  "4687-breaks": "breaks",
  "4688-dies": "dies",
};

/** One file of an archive. */
export interface Packed {
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer;
}

const block = 512;
const storedLimit = 0xffff;

/** The header of one file in a tar archive (ustar), without time and owner. */
function tarHeader({ path, mode, content }: Packed): Buffer {
  const header = Buffer.alloc(block);
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  header.write(path, 0, 100, "latin1");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  header.fill(" ", 148, 156);
  header.write("0", 156, "latin1");
  header.write("ustar\0" + "00", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/**
 * A gzip file of stored blocks. What a compressor makes of a text differs between versions and processors, and the
 * checksum of an archive stands in a stack file.
 */
function gzipStored(data: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])];
  for (let at = 0; at === 0 || at < data.length; at += storedLimit) {
    const piece = data.subarray(at, at + storedLimit);
    const head = Buffer.alloc(5);
    head.writeUInt8(at + storedLimit >= data.length ? 1 : 0, 0);
    head.writeUInt16LE(piece.length, 1);
    head.writeUInt16LE(piece.length ^ 0xffff, 3);
    parts.push(head, piece);
  }
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(crc32(data), 0);
  tail.writeUInt32LE(data.length, 4);
  return Buffer.concat([...parts, tail]);
}

/** A tar.gz of files, the same bytes on every machine. */
export function archiveOf(files: readonly Packed[]): Buffer {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const parts = sorted.flatMap((file) => [
    tarHeader(file),
    file.content,
    Buffer.alloc((block - (file.content.length % block)) % block),
  ]);
  return gzipStored(Buffer.concat([...parts, Buffer.alloc(2 * block)]));
}

/** The files of one release of the demo application. */
export function filesOf(revision: string, folder = join(root, "demo", "crossbow")): Packed[] {
  const fault = demoReleases[revision];
  const sources = globSync(["crossbow/*.py", "bin/*", "public/**/*.*"], { cwd: folder });
  return [
    { path: "REVISION", mode: 0o644, content: Buffer.from(`${revision}\n`) },
    ...sources.map((path) => ({
      path,
      mode: path.startsWith("bin/") ? 0o755 : 0o644,
      content: readFileSync(
        join(folder, path === "bin/serve" && fault !== undefined ? join("faults", fault) : path),
      ),
    })),
  ];
}

/** Where the archive of a release is, from the root of the checkout. */
export const archivePath = (revision: string): string => `releases/crossbow-${revision}.tar.gz`;

/** Write the archives that are missing or old. @returns the sha256 of each, and which ones were written. */
export function packDemoReleases(): { sha256: Record<string, string>; written: string[] } {
  const sha256: Record<string, string> = {};
  const written: string[] = [];
  for (const revision of Object.keys(demoReleases)) {
    const archive = archiveOf(filesOf(revision));
    const file = join(root, archivePath(revision));
    sha256[revision] = createHash("sha256").update(archive).digest("hex");
    if (existsSync(file) && readFileSync(file).equals(archive)) continue;
    mkdirSync(join(root, "releases"), { recursive: true });
    writeFileSync(file, archive);
    written.push(revision);
  }
  return { sha256, written };
}

// The lines of `releases` in a stack file.
if (process.argv[1] === import.meta.filename) {
  for (const [revision, sha256] of Object.entries(packDemoReleases().sha256))
    console.log(`"${revision}": { archive: ${archivePath(revision)}, sha256: ${sha256} }`);
}
