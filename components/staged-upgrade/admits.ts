import { type Problem, shown } from "../../config/problems.ts";
import type { StagedUpgrade } from "./config.ts";
import { ranIn, soaking } from "./soak.ts";

/**
 * A version comes to a stack that has `soak` when another stack has run it long enough.
 *
 * @param outputs of this stack at its last update. @param ask for the outputs of another stack, by its full name.
 * @returns what is wrong, with the dates.
 */
export async function admits(
  name: string,
  { soak, version }: StagedUpgrade,
  outputs: unknown,
  ask: (stack: string) => Promise<unknown>,
): Promise<Problem[]> {
  if (!soak) return [];
  const path = ["stagedUpgrades", name];
  let theirs: unknown;
  try {
    theirs = await ask(soak.stack);
  } catch (error) {
    return [{ path: [...path, "soak", "stack"], text: unreadable(soak.stack, error) }];
  }
  const ran = { there: ranIn(theirs, name), here: ranIn(outputs, name), now: new Date() };
  const why = soaking(version, soak, ran);
  return why === undefined ? [] : [{ path: [...path, "version"], text: why }];
}

const unreadable = (stack: string, error: unknown): string =>
  `${shown(stack)} can't be read (${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}); allowed: the full name of a stack in this backend that has been updated`;

/** Who overrides the time says so in each preview. */
export function remarks(name: string, { soak, version }: StagedUpgrade): string[] {
  if (soak?.override === undefined) return [];
  return [`stagedUpgrades.${name}: not asked how ${version} ran on ${soak.stack}: ${soak.override}`];
}
