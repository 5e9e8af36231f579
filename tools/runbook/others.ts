import type { ResourcesToo } from "./document.ts";
import { type Resource, triggersOf } from "./digest.ts";

const isCopy = ({ type }: Resource): boolean => type === "command:remote:CopyToRemote";

/** What a preview does beside the steps of transitions; what is destroyed has its name. */
export function othersIn(resources: ReadonlyMap<string, Resource>, reworded: number): ResourcesToo {
  const all = [...resources.values()];
  const changed = all.filter(({ op }) => op !== "same");
  const custom = changed.filter(({ now, before }) => (now ?? before)?.custom === true);
  const others = custom.filter((one) => !isCopy(one) && !isStepOf(one, resources));
  return {
    counts: countedBy(all),
    copies: custom.filter((one) => isCopy(one) && one.op !== "delete").length,
    others: countedBy(others.filter(({ op, before }) => op !== "delete" || before?.retainOnDelete !== true)),
    destroyed: others.flatMap(({ name, type, op, before }) =>
      (op === "delete" && before?.retainOnDelete !== true) || op === "replace" ? [{ name, type, op }] : [],
    ),
    leaving: changed
      .filter(({ op, type }) => op === "delete" && type === "changeover:index:Transition")
      .map(({ name }) => name),
    reworded,
  };
}

/** Steps, gates and ids are told with their transitions; a step that leaves the state runs nothing. */
function isStepOf(
  { type, parent, now, before }: Resource,
  resources: ReadonlyMap<string, Resource>,
): boolean {
  const owner = resources.get(parent ?? "")?.type ?? parentType(parent);
  if (!/^changeover:index:(Transition|AbsentHosts)$/.test(owner)) return false;
  return type.startsWith("command:") || type.startsWith("random:") || triggersOf(now ?? before) !== undefined;
}

/** The type of a parent that the preview does not list: an URN has it before the name. */
const parentType = (urn: string | undefined): string => urn?.split("::").at(-2)?.split("$").at(-1) ?? "";

function countedBy(resources: readonly Resource[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op } of resources) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}
