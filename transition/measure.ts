import { clocksIn } from "./decide.ts";
import { tailOf, timesOf } from "./receipt.ts";
import type { Run, UsersNotice } from "./run-book.ts";
import type { Keepers } from "./table.ts";

/** A step that ran, with what it left. */
export interface Ran {
  /** Its name without the transition's. */
  readonly step: string;
  /** The row of the table that it comes from. */
  readonly row: string;
  readonly host: string;
  readonly receipt: string;
}

/** When a step began and ended, in ms since 1970 by the operator's clock. */
interface Span {
  readonly row: string;
  readonly began: number;
  readonly ended: number;
}

/** How many runs are kept. */
const kept = 5;

/**
 * What was measured in a run that has ended well, from the receipts of its steps. A receipt of an older release has no times, and
 * counts for nothing.
 */
export function measuredRun(
  run: Pick<Run, "id" | "kind" | "resumed" | "first"> & {
    readonly goal: Keepers;
    readonly users?: UsersNotice;
    readonly ran: readonly Ran[];
  },
): Run {
  const { users, ran, ...rest } = run;
  const clocks = clocksIn(tailOf(ran.find(({ row }) => row === "preflight")?.receipt));
  const spans = ran.flatMap((one) => spanOf(one, clocks.get(one.host) ?? 0) ?? []);
  const steps = ran.flatMap(({ step, receipt }): [string, number][] => {
    const times = ranAt(receipt);
    return times ? [[step, times.seconds]] : [];
  });
  if (spans.length === 0) return { ...rest, steps: Object.fromEntries(steps) };
  const began = Math.min(...spans.map((span) => span.began));
  const away = users && awaySeconds(users, spans);
  return {
    ...rest,
    began: new Date(began).toISOString(),
    seconds: seconds(Math.max(...spans.map(({ ended }) => ended)) - began),
    ...(away === undefined ? {} : { awaySeconds: away }),
    steps: Object.fromEntries(steps),
  };
}

/** The runs to keep after one more, newest first. */
export const withRun = (runs: readonly Run[], run: Run): readonly Run[] =>
  runs[0]?.id === run.id ? runs : [run, ...runs].slice(0, kept);

/** Runs that say how long the next one may take: of its kind and steps, begun from a goal, and not stopped half-way. */
export function comparable(runs: readonly Run[], kind: string | undefined, steps: readonly string[]): Run[] {
  const wanted = new Set(steps);
  return runs.filter(
    (run) =>
      run.kind === kind &&
      !run.resumed &&
      !run.first &&
      Object.keys(run.steps).length > 0 &&
      Object.keys(run.steps).every((step) => wanted.has(step)),
  );
}

/** What found its transition complete did nothing, so its times say nothing. */
const ranAt = (receipt: string) => (tailOf(receipt).complete === "yes" ? undefined : timesOf(receipt));

function spanOf({ row, receipt }: Ran, aheadMs: number): Span | undefined {
  const times = ranAt(receipt);
  if (!times) return undefined;
  const began = times.began.getTime() - aheadMs;
  return { row, began, ended: began + times.seconds * 1000 };
}

function awaySeconds({ from, to }: UsersNotice, spans: readonly Span[]): number | undefined {
  const begins = spans.filter(({ row }) => row === from).map(({ began }) => began);
  const ends = spans.filter(({ row }) => row === to).map(({ ended }) => ended);
  if (begins.length === 0 || ends.length === 0) return undefined;
  return seconds(Math.max(...ends) - Math.min(...begins));
}

const seconds = (ms: number): number => Math.round(Math.max(0, ms) / 10) / 100;
