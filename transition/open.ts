import { notNeeded } from "./table.ts";

/** One entry of a state that was exported by `pulumi stack export`, as far as it is looked at here. */
export interface ExportedEntry {
  readonly urn: string;
  readonly type: string;
  /** The old half of a replacement that did not end. */
  readonly delete?: boolean;
  readonly parent?: string;
  /** When the state took it up as it is, ISO 8601, by the clock of the machine that ran the update. */
  readonly modified?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** The name of a resource, from its URN. */
export const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

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

/** What decided that a step ran: its sentence, host, words and the id of its transition; empty for what is no step. */
export function triggersOf({ inputs }: ExportedEntry): Readonly<Record<string, unknown>> {
  const [shown] = Array.isArray(inputs?.triggers) ? (inputs.triggers as unknown[]) : [];
  return typeof shown === "object" && shown !== null ? (shown as Record<string, unknown>) : {};
}

const isIdOfTransition = ({ type, parent, delete: old }: ExportedEntry): boolean =>
  type === "random:index/randomId:RandomId" && !old && /Transition::[^:]*$/.test(parent ?? "");

/** The transitions of an exported state that have not ended, in the order of the state. */
export const openTransitions = (entries: readonly ExportedEntry[]): OpenTransition[] =>
  entries.filter(isIdOfTransition).flatMap((entry) => {
    const id = entry.outputs?.hex;
    const current = entries.filter(({ parent, delete: old }) => parent === entry.parent && !old);
    const behind = current.filter(
      (step) => ![undefined, notNeeded, id].includes(triggersOf(step).transition),
    );
    if (behind.length === 0 && current.some(({ urn }) => nameOf(urn).endsWith("-done-gate"))) return [];
    const ran = current.filter((step) => triggersOf(step).transition === id).map(({ urn }) => nameOf(urn));
    return [
      {
        name: nameOf(entry.urn).replace(/-id$/, ""),
        id: String(id),
        ran: new Set(ran),
        behind: behind.map(({ urn }) => nameOf(urn)),
      },
    ];
  });

/** What else of a state has not ended: replacements, and operations that a killed update left; a line each. */
export function halfWritten(entries: readonly ExportedEntry[], pending: readonly unknown[] = []): string[] {
  const halves = entries.filter((entry) => entry.delete).map(({ urn }) => `${nameOf(urn)} is half replaced`);
  const operations =
    pending.length === 0 ? [] : [`${String(pending.length)} operation(s) pending: docs/runbook.md, "killed"`];
  return [...halves, ...operations];
}

/**
 * What is unfinished in an exported state, a line each; empty: every transition ended. While something is, nothing may be
 * renamed, aliased or given another parent: the engine would write a state that it can't read.
 */
export function unfinished(entries: readonly ExportedEntry[], pending: readonly unknown[] = []): string[] {
  const open = openTransitions(entries).map(
    ({ name, id, behind }) => `${name} ${id} is open: ${behind.join(", ") || "not all steps have run"}`,
  );
  return [...open, ...halfWritten(entries, pending)];
}
