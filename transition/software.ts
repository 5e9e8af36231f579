import { createHash } from "node:crypto";
import { realpathSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { type Problem, shown } from "../config/problems.ts";
import { releaseOf } from "./scripts.ts";

/** A folder of the user's project that makes a host ready, and what names its contents. */
export interface Software {
  /** As the config has it. */
  readonly named: string;
  readonly folder: string;
  /** On the hosts it is in a folder of this name, below one that its contents name. */
  readonly name: string;
  readonly release: string;
}

const file = "install.sh";

/** It becomes a part of unit names and of command lines on the host. */
const plain = /^[A-Za-z0-9][\w.-]*$/;

/**
 * Software as the project has it now.
 *
 * @param named its folder, as the config has it.
 * @param project the folder of Pulumi.yaml.
 */
export function readSoftware(named: string, project: string): Software {
  const why = problemOf(named, project);
  if (why !== undefined) throw new Error(`software: ${why}`);
  // The copy of a link would be a file, so what it points to is copied.
  const folder = realpathSync(resolve(project, named));
  return { named, folder, name: basename(folder), release: releaseOf(folder) };
}

/** How a host's `step.sh` calls it: a file beside the releases of the scripts. */
export const installOf = ({ name, release }: Software): string =>
  `software/${release}/${name}/${file.replace(/\.sh$/, "")}`;

/**
 * The name of the copy for one host. Of two folders with the same last part the second one has a mark of its path.
 *
 * @param taken names of the host's other copies.
 */
export function copyName(host: string, { named }: Software, taken: readonly string[]): string {
  const name = `${host}-software-${basename(named)}`;
  if (!taken.includes(name)) return name;
  return `${name}-${createHash("sha256").update(named).digest("hex").slice(0, 6)}`;
}

/** What is wrong with `software` of any system of a config: a folder that can't be copied, or does not install. */
export function softwareProblems(config: object, project: string): Problem[] {
  return Object.entries(config).flatMap(([kind, systems]) =>
    entriesOf(systems).flatMap(([name, settings]): Problem[] => {
      const named = entriesOf(settings).find(([key]) => key === "software")?.[1];
      const text = typeof named === "string" ? problemOf(named, project) : undefined;
      return text === undefined ? [] : [{ path: [kind, name, "software"], text }];
    }),
  );
}

const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];

function problemOf(named: string, project: string): string | undefined {
  const folder = resolve(project, named);
  const allowed = `allowed: a folder of the project with ${file}, by its path from Pulumi.yaml`;
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    return `${shown(named)} is not a folder (${folder}); ${allowed}; make it, or take the line out`;
  if (!statSync(join(folder, file), { throwIfNoEntry: false })?.isFile())
    return `${shown(named)} has no ${file} (${join(folder, file)}); ${allowed}; write it: demo/README.md says what it is told`;
  const name = basename(realpathSync(folder));
  if (!plain.test(name))
    return `${shown(named)} is a link to folder ${shown(name)}; allowed: a name of letters, digits, dots, underscores and hyphens; rename the folder`;
  return undefined;
}
