import { at, type Draft, listWith } from "./draft.ts";
import { type Problem, shown } from "./problems.ts";

/** A bastion that nothing dials, in front of a host that is to be dialled. */
export function behindUnreachable(
  draft: Draft,
  path: readonly string[],
  bastion: string,
  host: string,
): Problem[] {
  if (!draft.unreachable.includes(bastion) || draft.unreachable.includes(host)) return [];
  return [
    at(
      path,
      `${shown(bastion)} is in ${listWith(bastion, draft)}, so ${host} can't be reached; add ${host} to that list too`,
    ),
  ];
}
