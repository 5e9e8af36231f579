import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { downloadChecked } from "./checked.ts";
import { versionOf } from "../offline/install.ts";
import { readJson, writeWhole } from "./files.ts";
import { cacheFolder } from "../../../config/places.ts";
import { lastLines, run, type Voice } from "./run.ts";
import type { PluginName } from "./versions.ts";

const firstSeconds = 30;
const otherSeconds = 600;
const rememberHours = 24;

/** The home of the CLI under which downloaded plugins are kept, for all checkouts. */
export function downloadsHome(): string {
  return join(cacheFolder(), "downloads");
}

interface Failure {
  readonly at: number;
  readonly reason: string;
}

const failureFile = () => join(downloadsHome(), "failed.json");

/** The download that failed last, if none has worked since. */
export function lastFailure(): Failure | undefined {
  return readJson<Failure>(failureFile());
}

/** Whether downloads are worth a try: `CHANGEOVER_DOWNLOADS` (yes, no) decides, else whether none failed lately. */
export function worthTrying(told: string | undefined, failedAt: number | undefined, now: number): boolean {
  if (told === "yes" || told === "no") return told === "yes";
  return failedAt === undefined || now - failedAt > rememberHours * 3_600_000;
}

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/**
 * Download plugins, each with its checksum, into a home of their own. The first one has a short deadline, since most
 * machines without plugins have no way to them. A failure is remembered for a day.
 *
 * @param from the folder of plugins, as a URL. @returns whether any arrived.
 */
export async function downloadPlugins(
  cli: string,
  names: readonly PluginName[],
  voice: Voice,
  from = "https://get.pulumi.com/releases/plugins",
): Promise<boolean> {
  if (!worthTrying(process.env.CHANGEOVER_DOWNLOADS, lastFailure()?.at, Date.now())) return false;
  mkdirSync(downloadsHome(), { recursive: true });
  for (const [place, name] of names.entries()) {
    const reason = await downloadPlugin(
      cli,
      name,
      `${from}/${archiveOf(name)}`,
      place === 0 ? firstSeconds : otherSeconds,
      voice,
    );
    if (reason === undefined) continue;
    writeWhole(failureFile(), JSON.stringify({ at: Date.now(), reason } satisfies Failure));
    voice.now(name, `not downloaded: ${reason}`);
    voice.now(
      name,
      `that is not tried again for ${String(rememberHours)} h; CHANGEOVER_DOWNLOADS=yes tries, =no never does`,
    );
    return place > 0;
  }
  rmSync(failureFile(), { force: true });
  return true;
}

const archiveOf = (name: PluginName): string =>
  `pulumi-resource-${name}-v${versionOf(name)}-${platform()}-${architectures[arch()] ?? arch()}.tar.gz`;

async function downloadPlugin(
  cli: string,
  name: PluginName,
  url: string,
  seconds: number,
  voice: Voice,
): Promise<string | undefined> {
  const folder = mkdtempSync(join(downloadsHome(), "plugin-"));
  try {
    const file = join(folder, "plugin.tar.gz");
    const why = await downloadChecked(url, file, { seconds, voice });
    if (why !== undefined) return why;
    const env = { ...process.env, PULUMI_HOME: downloadsHome(), PULUMI_SKIP_UPDATE_CHECK: "true" };
    const argv = [
      cli,
      "plugin",
      "install",
      "resource",
      name,
      versionOf(name),
      "--file",
      file,
      "--color",
      "never",
    ];
    const { code, output } = await run(argv, { seconds: 120, env });
    return code === 0 ? undefined : lastLines(output, 2);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
