/** What `pulumi preview --json --show-sames` says, as far as the run-book reads it. */
export interface Digest {
  readonly steps: readonly DigestStep[];
  readonly diagnostics: readonly { readonly severity: string; readonly message: string }[];
}

interface DigestStep {
  readonly op: string;
  readonly urn: string;
  readonly oldState?: Half;
  readonly newState?: Half;
}

/** A resource before the update, or after it. What is secret in it the CLI has hidden; nothing but named fields is ever shown. */
export interface Half {
  readonly type: string;
  readonly custom?: boolean;
  readonly parent?: string;
  readonly dependencies?: readonly string[];
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly retainOnDelete?: boolean;
}

/** One resource of a preview. */
export interface Resource {
  readonly urn: string;
  readonly name: string;
  readonly type: string;
  /** What the update does with it: `same`, `create`, `update`, `replace`, `delete`. */
  readonly op: string;
  readonly parent?: string;
  readonly before?: Half;
  readonly now?: Half;
  /** Where it stands in the preview. */
  readonly place: number;
}

/** The triggers of a step, as far as people read them. */
export interface Triggers {
  readonly says?: string;
  readonly host?: string;
  readonly words?: string;
  readonly transition?: string;
  readonly machine?: string;
  readonly mode?: string;
}

/** How a preview writes what is known only when the update runs. */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** @throws when the text is no preview. */
export function readDigest(text: string): Digest {
  const { steps, diagnostics } = JSON.parse(text.slice(Math.max(0, text.indexOf("{")))) as Partial<Digest>;
  if (!Array.isArray(steps) && !Array.isArray(diagnostics))
    throw new Error("this is no preview; make one: npx pulumi preview --json --show-sames");
  return { steps: steps ?? [], diagnostics: diagnostics ?? [] };
}

/** The resources of a preview, each once: a replacement may have three lines. */
export function resourcesIn({ steps }: Digest): ReadonlyMap<string, Resource> {
  const found = new Map<string, Resource>();
  steps.forEach(({ op, urn, oldState, newState }, place) => {
    const known = found.get(urn);
    const [before, now] = [known?.before ?? oldState, known?.now ?? newState];
    found.set(urn, {
      urn,
      name: urn.slice(urn.lastIndexOf("::") + 2),
      type: (now ?? before)?.type ?? "",
      op: known && known.op !== "delete" ? known.op : opOf(op, now !== undefined && before !== undefined),
      parent: (now ?? before)?.parent,
      before,
      now,
      place: known?.place ?? place,
    });
  });
  return found;
}

function opOf(op: string, both: boolean): string {
  if (op === "create-replacement" || op === "delete-replaced") return "replace";
  return op === "create" && both ? "replace" : op;
}

/** Project and stack of a preview; undefined: it has no resource. */
export function stackIn({ steps }: Digest): { readonly project: string; readonly stack: string } | undefined {
  const [, stack, project] = /^urn:pulumi:(.*?)::(.*?)::/.exec(steps[0]?.urn ?? "") ?? [];
  return stack === undefined || project === undefined ? undefined : { project, stack };
}

/** A text that the preview knows; undefined: it is another kind of value, or known only when the update runs. */
export const knownText = (value: unknown): string | undefined =>
  typeof value === "string" && !value.includes(unknown) ? value : undefined;

/** The triggers of one half of a step; undefined: it has none. */
export function triggersOf(half: Half | undefined): Triggers | undefined {
  const { triggers } = half?.inputs ?? {};
  const [first] = Array.isArray(triggers) ? (triggers as unknown[]) : [];
  if (typeof first !== "object" || first === null) return undefined;
  const { says, host, words, transition, machine, mode } = first as Readonly<Record<string, unknown>>;
  return {
    says: knownText(says),
    host: knownText(host),
    words: knownText(words),
    transition: knownText(transition),
    machine: knownText(machine),
    mode: knownText(mode),
  };
}

/** Flat texts of an object that the preview knows. */
export function textsIn(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => {
      const text = knownText(one);
      return text === undefined ? [] : [[key, text]];
    }),
  );
}

/** Texts of a list. */
export const listIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.flatMap((one) => knownText(one) ?? []) : [];
