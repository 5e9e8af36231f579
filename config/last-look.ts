import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Seen, System } from "../components/system.ts";
import { dataFolder } from "./places.ts";

/** One entry of a stack, and what its hosts said. */
export interface LookedEntry {
  /** Its key in the stack file. */
  readonly system: string;
  readonly name: string;
  readonly expected: unknown;
  readonly outcome: string;
  readonly seen: readonly Seen[];
}

/** What `npm run look` saw of a stack: facts, so that their ages can be told at any time after. */
export interface Looked {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Who looked, and where. */
  readonly by: string;
  readonly entries: readonly LookedEntry[];
}

/** A look that is older says nothing about now. */
export const validMs = 15 * 60_000;

/**
 * Where the last look at a stack is kept, outside the checkout. Two projects, clones or backends may have stacks of one name, so the
 * file is named by the id that the stack itself made and its hosts know.
 */
export function lookedFile(stackId: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(dataFolder(env), "looks", `${stackId}.json`);
}

/** The last look at a stack; undefined when nobody looked from here, or the file can't be read. */
export function lastLook(stackId: unknown, env: NodeJS.ProcessEnv = process.env): Looked | undefined {
  // The id becomes a file's name.
  if (typeof stackId !== "string" || !/^[0-9a-f]+$/.test(stackId)) return undefined;
  try {
    const looked = JSON.parse(readFileSync(lookedFile(stackId, env), "utf8")) as Partial<Looked>;
    return typeof looked.at === "number" && Array.isArray(looked.entries) ? (looked as Looked) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a look is recent enough to say something about now. */
export const isRecent = ({ at }: Looked, now: number): boolean => now >= at && now - at <= validMs;

/** What a look saw, a line a host, with ages as of now; or that it is too old, or that nobody looked. */
export function lookLines(looked: Looked | undefined, now: number, systems: readonly System[]): string[] {
  if (!looked) return ["hosts: nobody looked at them from this machine; look: npm run look"];
  if (!isRecent(looked, now))
    return [
      `hosts: the last look is ${age((now - looked.at) / 1000)} old (allowed: 15 min); look again: npm run look`,
    ];
  const elapsed = (now - looked.at) / 1000;
  return [
    `hosts, as ${looked.by} saw them ${age(elapsed)} ago:`,
    ...hostLines(looked.entries, elapsed, systems),
  ];
}

/** What the hosts of entries said, a line each. @param elapsed seconds since then. */
export const hostLines = (
  entries: readonly LookedEntry[],
  elapsed: number,
  systems: readonly System[],
): string[] =>
  entries.flatMap((entry) => {
    const system = systems.find(({ key }) => key === entry.system);
    const lines = entry.seen.map((one) => {
      const { host, facts, failure } = one.look;
      if (!facts) return `${host}: ${failure ?? "gave no answer"}`;
      return `${host}: ${system?.describe(entry.name, entry.expected, one, elapsed) ?? "answered"}`;
    });
    const outcome = entry.outcome === "complete" ? [] : [entry.outcome];
    return [...outcome, ...new Set(lines)].map((line) => `  ${entry.name}: ${line}`);
  });

/** A time in the largest unit that says enough. */
export function age(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  if (seconds < 7200) return `${(seconds / 60).toFixed(0)} min`;
  return seconds < 48 * 3600 ? `${(seconds / 3600).toFixed(0)} h` : `${(seconds / 86400).toFixed(0)} days`;
}
