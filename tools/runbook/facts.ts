import type { System } from "../../components/system.ts";
import { isRecent, lastLook, lookLines } from "../../config/last-look.ts";
import type { Facts } from "./document.ts";

/** What somebody saw of a stack's hosts before, with the same words that a preview has; or that nobody did. */
export function factsBefore(
  stackId: string | undefined,
  now: number,
  systems: readonly System[],
  env: NodeJS.ProcessEnv = process.env,
): Facts {
  const looked = lastLook(stackId, env);
  const [says = "", ...lines] = lookLines(looked, now, systems);
  return {
    source: looked && isRecent(looked, now) ? "look" : "nobody",
    at: looked ? new Date(looked.at).toISOString() : null,
    by: looked?.by ?? null,
    says: says.replace(/:$/, ""),
    lines: lines.map((line) => line.trim()),
  };
}
