import { type Bar, barsOf, beginOf, endOf, platform, type Timeline } from "./timeline.ts";

/** Times as people read them, always in UTC, since hosts and readers have zones of their own. */
export const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 23);

/** A day and a time to the second. */
export const moment = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 9_995 ? 2 : 1)} s`;

/** A time that may be long, in its two largest units: `42 s`, `3 min 12 s`, `3 h 12 min`, `2 d 4 h`. */
export function span(ms: number): string {
  const whole = Math.round(ms / 1000);
  const units: readonly (readonly [size: number, name: string])[] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const first = units.findIndex(([size]) => whole >= size);
  if (first < 0) return "0 s";
  const words: string[] = [];
  let rest = whole;
  for (const [size, name] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    if (count > 0) words.push(`${String(count)} ${name}`);
    rest -= count * size;
  }
  return words.join(" ");
}

/** More of a goal would not fit into a title. */
const goalLetters = 80;

/** `production megadeth`; of a goal of many parts the short ones and how many more; nothing where the state does not tell it. */
export function goalInWords(goal: Readonly<Record<string, string>>): string {
  const parts = Object.entries(goal).map(([key, value]) => `${key} ${value}`);
  if (parts.join(", ").length <= goalLetters) return parts.join(", ");
  const shown: string[] = [];
  for (const part of parts.sort((one, other) => one.length - other.length))
    if ([...shown, part].join(", ").length <= goalLetters) shown.push(part);
  const more = parts.length - shown.length;
  return [...shown, ...(more > 0 ? [`${String(more)} more`] : [])].join(", ");
}

/** `sounz-switch: production megadeth`. */
export const titleOf = ({ transition, goal }: Timeline): string =>
  [transition, ...(Object.keys(goal).length > 0 ? [goalInWords(goal)] : [])].join(": ");

/** For how long users were away; empty where the state does not tell what they notice, or nothing was cut. */
export function awayInWords({ away, open }: Timeline): string {
  if (!away) return "";
  const { notice, from, to } = away;
  if (to !== undefined) return `${notice} for ${seconds(to - from)}`;
  if (away.endsLater) return `${notice} from ${moment(from)}, until a later transition`;
  return open
    ? `${notice} since ${moment(from)}, not ended yet`
    : `${notice} from ${moment(from)}, the end is not known`;
}

/** For how long steps ran, without the gaps between the parts. */
const workingMs = ({ parts }: Timeline): number =>
  parts.reduce((sum, { began, ended }) => sum + ended - began, 0);

/** When it ran and how long it took. */
export function tookInWords(timeline: Timeline): string {
  const { parts } = timeline;
  if (parts.length === 0) return "no step with times has run";
  const over = span(endOf(timeline) - beginOf(timeline));
  const inParts = parts.length > 1 ? ` in ${String(parts.length)} parts over ${over}` : "";
  return `${moment(beginOf(timeline))}, ${seconds(workingMs(timeline))}${inParts}`;
}

/** The same, and how it stands. */
export function whenInWords(timeline: Timeline): string {
  const { open } = timeline;
  const toRun = open?.join(", ") || "steps that are not in the state yet";
  return `${tookInWords(timeline)}, ${open ? `open, to run: ${toRun}` : "complete"}`;
}

/** Why a gap is in a picture. */
export const gapInWords = (gap: number): string => `nothing ran for ${span(gap)}; then an update went on`;

/** What a reader has to know of the times, a line each. */
export function notesOf({ clocks, untimed, skipped }: Timeline): string[] {
  const corrected = [...clocks].map(
    ([host, ms]) => `${host} is ${seconds(Math.abs(ms))} ${ms > 0 ? "ahead" : "behind"}`,
  );
  return [
    ...(corrected.length > 0
      ? [`times are corrected by what the preflight saw of clocks: ${corrected.join(", ")}`]
      : []),
    ...(untimed.length > 0 ? [`no times in the receipt, so not shown: ${untimed.join(", ")}`] : []),
    ...skipped,
  ];
}

/** Who did what when, for a terminal. */
export function textOf(timeline: Timeline): string {
  const { parts, away, wayBack, open } = timeline;
  const bars = barsOf(timeline);
  const widths = {
    host: Math.max(4, ...bars.map(({ host }) => host.length)),
    step: Math.max(4, ...bars.map(({ step }) => step.length)),
  };
  const begin = beginOf(timeline);
  const row = ([at, after, took, host, step, says]: readonly string[]): string =>
    `${at?.padEnd(12) ?? ""}  ${after?.padStart(9) ?? ""}  ${took?.padStart(8) ?? ""}  ${host?.padEnd(widths.host) ?? ""}  ${step?.padEnd(widths.step) ?? ""}  ${says ?? ""}`.trimEnd();
  const line = (bar: Bar) =>
    row([
      clock(bar.began),
      after(bar.began - begin),
      bar.host === platform ? "" : seconds(bar.ended - bar.began),
      bar.host,
      bar.step,
      [
        bar.says,
        ...(bar.pointOfNoReturn ? ["(point of no return)"] : []),
        ...(bar.bad ? [`BAD: ${bar.bad}`] : []),
      ].join(" "),
    ]);
  const lines = parts.flatMap(({ bars: own, gap }) => [
    ...(gap === undefined ? [] : [`-- ${gapInWords(gap)}`]),
    ...own.map(line),
  ]);
  const users = awayInWords(timeline);
  return [
    titleOf(timeline),
    whenInWords(timeline),
    ...(users === ""
      ? []
      : [`users: ${users}${away?.to === undefined ? "" : ` (${clock(away.from)} to ${clock(away.to)})`}`]),
    ...(bars.length === 0
      ? []
      : ["", row(["time (UTC)", "after", "took", "host", "step", "what became true"]), ...lines]),
    ...notesOf(timeline).flatMap((note, index) => (index === 0 ? ["", note] : [note])),
    ...(open && wayBack !== undefined ? ["", `way back: ${wayBack}`] : []),
  ].join("\n");
}

const after = (ms: number): string => (ms < 600_000 ? seconds(ms) : span(ms));
