import type { StateEntry } from "../state.ts";

/**
 * What a transition tells the tools of itself, in the inputs and outputs of its component. A state that an older release wrote has
 * none of it, so each part is read as what it is, or left out.
 */

/** What users notice, from the begin of one row to the end of another. */
export interface Users {
  readonly notice: string;
  readonly from: string;
  readonly to: string;
}

/** One run of a transition, as its component remembers it. */
export interface Run {
  readonly id: string;
  /** ISO 8601. */
  readonly began: string;
  readonly seconds: number;
  /** For how long users were away. */
  readonly awaySeconds?: number;
  readonly resumed: boolean;
  readonly goal: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const strings = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(isFields(value) ? value : {}).filter(
      (pair): pair is [string, string] => typeof pair[1] === "string",
    ),
  );

/** What people read of the goal; empty where the state does not tell it. */
export const goalOf = ({ inputs }: StateEntry): Readonly<Record<string, string>> => strings(inputs?.goal);

export function usersOf({ inputs }: StateEntry): Users | undefined {
  const { notice, from, to } = strings(inputs?.users);
  return notice !== undefined && from !== undefined && to !== undefined ? { notice, from, to } : undefined;
}

/** Rows whose first act has no way back but a new goal; undefined: the state does not tell, and their sentences say so. */
export function pointsOfNoReturn({ inputs }: StateEntry): readonly string[] | undefined {
  const rows = inputs?.pointOfNoReturn;
  return Array.isArray(rows) ? rows.filter((row): row is string => typeof row === "string") : undefined;
}

export const wayBackOf = ({ inputs }: StateEntry): string | undefined => strings(inputs).wayBack;

/** Runs that the component remembers, newest first. */
export function runsOf({ outputs }: StateEntry): readonly Run[] {
  const runs: unknown[] = Array.isArray(outputs?.runs) ? outputs.runs : [];
  return runs.flatMap((run): Run[] => {
    if (!isFields(run)) return [];
    const { id, began, seconds, awaySeconds, resumed, goal } = run;
    if (typeof id !== "string" || typeof began !== "string" || typeof seconds !== "number") return [];
    const away = typeof awaySeconds === "number" ? { awaySeconds } : {};
    return [{ id, began, seconds, ...away, resumed: resumed === true, goal: strings(goal) }];
  });
}
