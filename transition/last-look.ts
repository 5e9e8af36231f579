import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dataFolder } from "../config/places.ts";

/** What `npm run look` saw, and when. */
export interface Looked {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly lines: readonly string[];
}

/** A look that is older says nothing about now. */
export const validMs = 15 * 60_000;

/** Where the last look at a stack is kept, outside the checkout. */
export function lookedFile(stack: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(dataFolder(env), "looks", `${stack}.json`);
}

/** The lines of a look that is recent enough, each with its age in front; nothing when there is none. */
export function recentLines(text: string, now: number): string[] {
  const { at, lines } = JSON.parse(text) as Looked;
  if (now < at || now - at > validMs) return [];
  return lines.map((line) => `looked ${String(Math.round((now - at) / 1000))} s ago: ${line}`);
}

/** What the operator saw of a stack just before; nothing when nobody looked. */
export function lastLook(stack: string): string[] {
  try {
    return recentLines(readFileSync(lookedFile(stack), "utf8"), Date.now());
  } catch {
    return [];
  }
}
