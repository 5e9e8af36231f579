import { notNeeded } from "./table.ts";

/** One entry of a state that was exported by `pulumi stack export`, as far as it is looked at here. */
export interface ExportedEntry {
  readonly urn: string;
  readonly type: string;
  /** The old half of a replacement that did not end. */
  readonly delete?: boolean;
  readonly parent?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** A transition that an exported state has begun and not ended. */
export interface OpenTransition {
  /** `<component>-<transition>`. */
  readonly name: string;
  readonly id: string;
  /** Steps that ran for this id. */
  readonly ran: ReadonlySet<string>;
  /** Steps that ran for an older id; those that never ran are not in the state. */
  readonly behind: readonly string[];
}

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

/** The id of the transition that a step was run for, from its triggers. */
function ranFor({ inputs }: ExportedEntry): unknown {
  const [shown] = Array.isArray(inputs?.triggers) ? (inputs.triggers as unknown[]) : [];
  return typeof shown === "object" && shown !== null
    ? (shown as Record<string, unknown>).transition
    : undefined;
}

const isIdOfTransition = ({ type, parent, delete: old }: ExportedEntry): boolean =>
  type === "random:index/randomId:RandomId" && !old && /Transition::[^:]*$/.test(parent ?? "");

/** The transitions of an exported state that have not ended. */
export const openTransitions = (entries: readonly ExportedEntry[]): OpenTransition[] =>
  entries.filter(isIdOfTransition).flatMap((entry) => {
    const id = entry.outputs?.hex;
    const current = entries.filter(({ parent, delete: old }) => parent === entry.parent && !old);
    const behind = current.filter((step) => ![undefined, notNeeded, id].includes(ranFor(step)));
    if (behind.length === 0 && current.some(({ urn }) => nameOf(urn).endsWith("-done-gate"))) return [];
    const ran = current.filter((step) => ranFor(step) === id).map(({ urn }) => nameOf(urn));
    return [
      {
        name: nameOf(entry.urn).replace(/-id$/, ""),
        id: String(id),
        ran: new Set(ran),
        behind: behind.map(({ urn }) => nameOf(urn)),
      },
    ];
  });

/**
 * What is unfinished in an exported state, a line each; empty: every transition ended. While something is, nothing may be
 * renamed, aliased or given another parent: the engine would write a state that it can't read.
 */
export function unfinished(entries: readonly ExportedEntry[], pending: readonly unknown[] = []): string[] {
  const halves = entries.filter((entry) => entry.delete).map(({ urn }) => `${nameOf(urn)} is half replaced`);
  const open = openTransitions(entries).map(
    ({ name, id, behind }) =>
      `${name} ${id} is open: ${behind.length > 0 ? behind.join(", ") : "not all steps have run"}`,
  );
  const operations =
    pending.length === 0 ? [] : [`${String(pending.length)} operation(s) pending: docs/runbook.md, "killed"`];
  return [...open, ...halves, ...operations];
}
