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

/**
 * What is unfinished in an exported state, a line each; empty: every transition ended. While something is, nothing may be
 * renamed, aliased or given another parent: the engine would write a state that it can't read.
 */
export function unfinished(entries: readonly ExportedEntry[], pending: readonly unknown[] = []): string[] {
  const halves = entries.filter((entry) => entry.delete).map(({ urn }) => `${nameOf(urn)} is half replaced`);
  const ids = entries.filter(({ type, delete: old }) => type === "random:index/randomId:RandomId" && !old);
  const open = ids.flatMap((id) => {
    const steps = entries.filter(({ parent, delete: old }) => parent === id.parent && !old);
    const behind = steps.filter((step) => {
      const transition = ranFor(step);
      return transition !== undefined && transition !== id.outputs?.hex;
    });
    const ended = steps.some((step) => /-done-gate$/.test(nameOf(step.urn)));
    const about = nameOf(id.urn).replace(/-id$/, "");
    if (id.parent === undefined || !/Transition$/.test(id.parent.split("::").at(-2) ?? "")) return [];
    return behind.length > 0 || !ended
      ? [
          `${about} ${String(id.outputs?.hex)} is open: ${behind.map(({ urn }) => nameOf(urn)).join(", ") || "not all steps have run"}`,
        ]
      : [];
  });
  const operations =
    pending.length === 0 ? [] : [`${String(pending.length)} operation(s) pending: docs/runbook.md, "killed"`];
  return [...open, ...halves, ...operations];
}
