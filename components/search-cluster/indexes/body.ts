import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { shown } from "../../../config/problems.ts";

/** A file of settings and mappings. */
export interface Body {
  readonly path: string;
  readonly sha256: string;
}

/**
 * The body of a version.
 *
 * @param named path from the project's folder. @param where in the stack file.
 * @throws Error when it can't be read, is no JSON, or has more than settings and mappings.
 */
export function bodyOf(named: string, project: string, where: string): Body {
  const path = resolve(project, named);
  const wrong = (why: string): Error =>
    new Error(`${where}: ${shown(named)} ${why}; allowed: a JSON file with \`settings\` and \`mappings\``);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw wrong(`can't be read (${error instanceof Error ? error.message : path})`);
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw wrong(`is no JSON (${error instanceof Error ? error.message : ""})`);
  }
  if (!isMap(body)) throw wrong("is no JSON object");
  const others = Object.keys(body).filter((key) => key !== "settings" && key !== "mappings");
  if (others.length > 0) throw wrong(`has ${others.map(shown).join(", ")}`);
  for (const [key, value] of Object.entries(body))
    if (!isMap(value)) throw wrong(`has ${key} that is no object`);
  return { path, sha256: createHash("sha256").update(text).digest("hex") };
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
