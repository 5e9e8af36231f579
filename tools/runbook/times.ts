import type { Booked } from "./books.ts";

/** The middle of some numbers; null: there are none. */
export function median(numbers: readonly number[]): number | null {
  if (numbers.length === 0) return null;
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}

/** How long a step usually takes, by what was measured of it in comparable runs. In seconds; null: it was not. */
export function usualSeconds({ book }: Booked, step: string): number | null {
  const short = step.slice(book.name.length + 1);
  return median(book.measured.flatMap((run) => run.steps[short] ?? []));
}

/** How long all of it took in comparable runs, newest first. In seconds. */
export const measuredSeconds = ({ book }: Booked): number[] =>
  book.measured.flatMap((run) => run.seconds ?? []);

/** How long users noticed comparable runs, newest first. In seconds. */
export const awaySeconds = ({ book }: Booked): number[] =>
  book.measured.flatMap((run) => run.awaySeconds ?? []);

/**
 * What deadlines add up to: phases come one after another, the steps of a phase run side by side. In seconds; null: none of the
 * steps has one.
 *
 * @param span the rows that it begins and ends with; left out: all of it.
 */
export function atMostSeconds(
  { book, rows, rowOf }: Booked,
  span: { readonly from?: string; readonly to?: string } = {},
): number | null {
  const rowsOf = book.steps.map(({ name }) => rowOf.get(name) ?? "");
  const first = span.from === undefined ? 0 : rowsOf.indexOf(span.from);
  const last = span.to === undefined ? rowsOf.length - 1 : rowsOf.lastIndexOf(span.to);
  if (first < 0 || last < first) return null;
  const longest = new Map<string, number>();
  for (const row of rowsOf.slice(first, last + 1)) {
    const fact = rows[row];
    if (fact) longest.set(fact.phase, Math.max(longest.get(fact.phase) ?? 0, fact.deadlineSeconds));
  }
  return longest.size === 0 ? null : [...longest.values()].reduce((sum, one) => sum + one, 0);
}
