import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../config/places.ts";

/** What the program needs at the side of the CLI. */
export const pluginNames = ["language", "command", "random", "aws"] as const;
export type PluginName = (typeof pluginNames)[number];

/** The numbers of the first version in a text such as `v3.259.0` or `go1.26.8`; undefined when there is none. */
export function numbersOf(text: string): [number, number, number] | undefined {
  const [, major, minor, patch] = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch ?? 0)];
}

/** Whether a version is the least one or later. A text without a version is not. */
export function atLeast(version: string, least: string): boolean {
  const [have, need] = [numbersOf(version), numbersOf(least)];
  if (!have || !need) return false;
  const at = have.findIndex((number, place) => number !== need[place]);
  return at === -1 || (have[at] ?? 0) > (need[at] ?? 0);
}

/** Whether a CLI or language host of this version serves a program that is pinned to `least`: same major, not older. */
export function serves(version: string, least: string): boolean {
  return numbersOf(version)?.[0] === numbersOf(least)?.[0] && atLeast(version, least);
}

/** What the `go.mod` of the CLI pins: the CLI's version (without `v`) and the Go that builds it. */
export function pinsOf(goMod: string): { readonly pulumi: string; readonly go: string } {
  const pulumi = /github\.com\/pulumi\/pulumi\/pkg\/v3 v(\S+)/.exec(goMod)?.[1];
  const go = /^go (\S+)/m.exec(goMod)?.[1];
  if (pulumi === undefined || go === undefined)
    throw new Error("tools/workshop/cli/go.mod names no CLI or no Go version");
  return { pulumi, go };
}

/** The pins of this checkout. */
export function pins(): { readonly pulumi: string; readonly go: string } {
  return pinsOf(readFileSync(join(root, "tools", "workshop", "cli", "go.mod"), "utf8"));
}

/** Go's words about itself, as `go env GOVERSION GOTOOLCHAIN` prints them, and whether it can build the CLI. */
export function goProblem(goEnv: string, needed: string): string | undefined {
  const [version = "", toolchain = ""] = goEnv.trim().split("\n");
  if (atLeast(version, needed)) return undefined;
  const fetchesNewer = atLeast(version, "1.21") && toolchain !== "local";
  if (fetchesNewer) return undefined;
  return `Go is too old: ${version.replace("go", "") || "no version"}, and ${needed} or later is needed`;
}

/** The file name of a plugin. */
export function pluginFile(name: PluginName): string {
  return name === "language" ? "pulumi-language-nodejs" : `pulumi-resource-${name}`;
}

/** The folder of a plugin in a plugin cache. */
export function pluginFolder(name: PluginName, version: string): string {
  return name === "language" ? `language-nodejs-v${version}` : `resource-${name}-v${version}`;
}
