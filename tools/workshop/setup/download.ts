import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
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

/** The cause in what a failed download said: the CLI names it before its retries, not at the end. */
export function reasonOf(output: string): string {
  const cause = /(?:dial tcp|tls|proxyconnect|unexpected status|\d{3} HTTP error|context deadline).*/i.exec(
    output,
  )?.[0];
  return cause ?? lastLines(output, 1);
}

/**
 * Let the CLI download plugins, the first one with a short deadline since most machines without plugins have no way
 * to them. A failure is remembered for a day.
 * @returns whether any arrived.
 */
export async function downloadPlugins(
  cli: string,
  names: readonly PluginName[],
  voice: Voice,
): Promise<boolean> {
  if (!worthTrying(process.env.CHANGEOVER_DOWNLOADS, lastFailure()?.at, Date.now())) return false;
  mkdirSync(downloadsHome(), { recursive: true });
  const env = { ...process.env, PULUMI_HOME: downloadsHome(), PULUMI_SKIP_UPDATE_CHECK: "true" };
  for (const [place, name] of names.entries()) {
    const version = versionOf(name);
    voice.now(name, `downloading the plugin, ${version}`);
    const argv = [cli, "plugin", "install", "resource", name, version, "--color", "never"];
    const { code, output } = await run(argv, { seconds: place === 0 ? firstSeconds : otherSeconds, env });
    if (code !== 0) {
      const failure: Failure = { at: Date.now(), reason: reasonOf(output) };
      writeWhole(failureFile(), JSON.stringify(failure));
      voice.now(name, `not downloaded: ${failure.reason}`);
      voice.now(
        name,
        `that is not tried again for ${String(rememberHours)} h; CHANGEOVER_DOWNLOADS=yes tries, =no never does`,
      );
      return place > 0;
    }
  }
  rmSync(failureFile(), { force: true });
  return true;
}
