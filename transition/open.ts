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

/** What decided that a step ran: its sentence, host, words and the id of its transition; empty for what is no step. */
export function triggersOf({ inputs }: ExportedEntry): Readonly<Record<string, unknown>> {
  const [shown] = Array.isArray(inputs?.triggers) ? (inputs.triggers as unknown[]) : [];
  return typeof shown === "object" && shown !== null ? (shown as Record<string, unknown>) : {};
}

/** A transition that has not ended: its name, its id, and the steps that are to run for that id. */
export interface OpenTransition {
  readonly name: string;
  readonly id: string;
  /** Empty: steps are missing that the state does not know yet. */
  readonly steps: readonly string[];
}

const isIdOfTransition = ({ type, parent, delete: old }: ExportedEntry): boolean =>
  type === "random:index/randomId:RandomId" && !old && /Transition::[^:]*$/.test(parent ?? "");

/** The transitions of a state that have not ended, in the order of the state. */
export function openTransitions(entries: readonly ExportedEntry[]): OpenTransition[] {
  return entries.filter(isIdOfTransition).flatMap((id) => {
    const current = entries.filter(({ parent, delete: old }) => parent === id.parent && !old);
    const behind = current.filter(
      (step) => ![undefined, notNeeded, id.outputs?.hex].includes(triggersOf(step).transition),
    );
    if (behind.length === 0 && current.some(({ urn }) => nameOf(urn).endsWith("-done-gate"))) return [];
    const name = nameOf(id.urn).replace(/-id$/, "");
    return [{ name, id: String(id.outputs?.hex), steps: behind.map(({ urn }) => nameOf(urn)) }];
  });
}

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
    ({ name, id, steps }) => `${name} ${id} is open: ${steps.join(", ") || "not all steps have run"}`,
  );
  return [...open, ...halfWritten(entries, pending)];
}
