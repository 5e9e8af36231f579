import { type Problem, shown } from "../../config/problems.ts";
import type { StagedUpgrade } from "./config.ts";
import { ranIn, soaking } from "./soak.ts";

/**
 * A stack with `soak` accepts a version only after another stack has run it long enough.
 *
 * @param outputs of this stack at its last update. @param ask for the outputs of another stack, by its full name.
 * @returns the problems, with dates.
 */
export async function admits(
  name: string,
  { soak, version }: StagedUpgrade,
  outputs: unknown,
  ask: (stack: string) => Promise<unknown>,
): Promise<Problem[]> {
  if (!soak) return [];
  const path = ["stagedUpgrades", name];
  let otherOutputs: unknown;
  try {
    otherOutputs = await ask(soak.stack);
  } catch (error) {
    return [{ path: [...path, "soak", "stack"], text: unreadable(soak.stack, error) }];
  }
  const ran = { there: ranIn(otherOutputs, name), here: ranIn(outputs, name), now: new Date() };
  const why = soaking(version, soak, ran);
  return why === undefined ? [] : [{ path: [...path, "version"], text: why }];
}

const unreadable = (stack: string, error: unknown): string =>
  `${shown(stack)} can't be read (${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}); allowed: the full name of a stack in this backend, after its first update`;

/** Each preview shows an override of the soak. */
export function remarks(name: string, { soak, version }: StagedUpgrade): string[] {
  if (soak?.override === undefined) return [];
  return [`stagedUpgrades.${name}: soak of ${version} on ${soak.stack} is not checked: ${soak.override}`];
}
