import type { ExportedEntry } from "../../transition/open.ts";
import type { RowFacts, Run, UsersNotice } from "../../transition/run-book.ts";

/**
 * What a transition tells of itself, in the inputs and outputs of its component. A state that an older release wrote has none of it,
 * so each part is read as what it is, or left out.
 */

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
export const goalOf = ({ inputs }: ExportedEntry): Readonly<Record<string, string>> => strings(inputs?.goal);

export function usersOf({ inputs }: ExportedEntry): UsersNotice | undefined {
  const { notice, from, to } = strings(inputs?.users);
  if (notice === undefined || from === undefined) return undefined;
  return { notice, from, ...(to === undefined ? {} : { to }) };
}

const sentenceEnd = "(point of no return)";

/**
 * Whether a step that ran was a point of no return: the component lists the rows, but for those that run only when something is bad.
 * Those say it in their sentence, and so does every row in the state of an older release.
 *
 * @param isOf whether the step is one of a row.
 */
export function turns({ inputs }: ExportedEntry, isOf: (row: string) => boolean, sentence: string): boolean {
  const listed: unknown[] = Array.isArray(inputs?.pointOfNoReturn) ? inputs.pointOfNoReturn : [];
  if (listed.some((row) => typeof row === "string" && isOf(row))) return true;
  const rows = isFields(inputs?.rows) ? (inputs.rows as Record<string, RowFacts | undefined>) : undefined;
  const row = rows && Object.keys(rows).find(isOf);
  const says = rows === undefined || (row !== undefined && rows[row]?.conditional === true);
  return says && sentence.endsWith(sentenceEnd);
}

/** A sentence without what is told of the point of no return in another way. */
export const withoutTurn = (sentence: string): string => sentence.replace(` ${sentenceEnd}`, "");

export const wayBackOf = ({ inputs }: ExportedEntry): string | undefined => strings(inputs).wayBack;

/** Runs of a transition that a state remembers, newest first. */
export function runsOf(resources: readonly ExportedEntry[], transition: string): readonly Run[] {
  const all = resources.find(({ type }) => type === "changeover:index:Measured")?.outputs?.runs;
  const found = isFields(all) ? all[transition] : undefined;
  const runs: unknown[] = Array.isArray(found) ? found : [];
  return runs.flatMap((run): Run[] => {
    if (!isFields(run) || typeof run.id !== "string") return [];
    const { id, began, seconds, awaySeconds, resumed, goal } = run;
    return [
      {
        id,
        goal: strings(goal),
        steps: {},
        ...(typeof began === "string" ? { began } : {}),
        ...(typeof seconds === "number" ? { seconds } : {}),
        ...(typeof awaySeconds === "number" ? { awaySeconds } : {}),
        ...(resumed === true ? { resumed } : {}),
      },
    ];
  });
}
