import type { ExportedEntry } from "../transition/open.ts";
import { pulumiStack } from "./stack.ts";

/** A resource of an exported state, with when the state took it up. */
export interface StateEntry extends ExportedEntry {
  /** ISO 8601, by the clock of the machine that ran the update. */
  readonly modified?: string;
}

/** The state of a stack as `pulumi stack export` prints it: secrets stay encrypted. */
export interface StackState {
  readonly entries: readonly StateEntry[];
  readonly pending: readonly unknown[];
  /** When it was written last; undefined: never. */
  readonly writtenAt?: Date;
}

interface Exported {
  readonly deployment: {
    readonly manifest?: { readonly time?: string };
    readonly resources?: readonly StateEntry[];
    readonly pending_operations?: readonly unknown[];
  };
}

/** The state in the text of an export. @throws when it is no JSON. */
export function stateIn(text: string): StackState {
  const { manifest, resources, pending_operations: pending } = (JSON.parse(text) as Exported).deployment;
  const writtenAt = new Date(manifest?.time ?? NaN);
  return {
    entries: resources ?? [],
    pending: pending ?? [],
    ...(Number.isNaN(writtenAt.getTime()) ? {} : { writtenAt }),
  };
}

/** The state of a stack. @param args flags of `pulumi stack`, such as `--stack`. @throws when there is no such stack. */
export const stateOf = (args: readonly string[]): StackState => stateIn(pulumiStack("export", ...args));
