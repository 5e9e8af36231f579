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

/**
 * What is unfinished in an exported state, a line each; empty: every transition ended. While something is, nothing may be
 * renamed, aliased or given another parent: the engine would write a state that it can't read.
 */
export function unfinished(entries: readonly ExportedEntry[], pending: readonly unknown[] = []): string[] {
  const halves = entries.filter((entry) => entry.delete).map(({ urn }) => `${nameOf(urn)} is half replaced`);
  const open = entries.filter(isIdOfTransition).flatMap((id) => {
    const current = entries.filter(({ parent, delete: old }) => parent === id.parent && !old);
    const behind = current.filter((step) => ![undefined, notNeeded, id.outputs?.hex].includes(ranFor(step)));
    if (behind.length === 0 && current.some(({ urn }) => nameOf(urn).endsWith("-done-gate"))) return [];
    const steps = behind.map(({ urn }) => nameOf(urn)).join(", ") || "not all steps have run";
    return [`${nameOf(id.urn).replace(/-id$/, "")} ${String(id.outputs?.hex)} is open: ${steps}`];
  });
  const operations =
    pending.length === 0 ? [] : [`${String(pending.length)} operation(s) pending: docs/runbook.md, "killed"`];
  return [...open, ...halves, ...operations];
}
