import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { arch, platform } from "node:os";
import { dirname, join } from "node:path";
import { downloadChecked } from "./checked.ts";
import { lastLines, run, type Voice } from "./run.ts";

const downloadSeconds = 600;
const releases = "https://get.pulumi.com/releases/sdk";

/**
 * Download the official release of the CLI, which brings its language hosts, and put it into a folder.
 * @param from the folder of releases, as a URL.
 * @returns what prevented it, or undefined.
 */
export async function downloadCli(
  folder: string,
  version: string,
  voice: Voice,
  from = releases,
): Promise<string | undefined> {
  const archive = `pulumi-v${version}-${platform()}-${arch()}.tar.gz`;
  mkdirSync(dirname(folder), { recursive: true });
  const scratch = mkdtempSync(`${folder}-`);
  try {
    const file = join(scratch, archive);
    const why = await downloadChecked(`${from}/${archive}`, file, { seconds: downloadSeconds, voice });
    if (why !== undefined) return `the official release could not be downloaded: ${why}`;
    const unpacked = await run(["tar", "-xzf", file, "-C", scratch], { seconds: 120 });
    if (unpacked.code !== 0)
      return `the official release could not be unpacked: ${lastLines(unpacked.output, 2)}`;
    rmSync(file);
    replaceFolder(join(scratch, "pulumi"), folder);
    return undefined;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Put the files of one folder into another, each whole at any moment, the CLI last. */
function replaceFolder(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const files = readdirSync(from).sort((a, b) => Number(a === "pulumi") - Number(b === "pulumi"));
  for (const name of files) {
    const draft = join(to, `.${name}.${String(process.pid)}`);
    cpSync(join(from, name), draft, { recursive: true });
    renameSync(draft, join(to, name));
  }
}
