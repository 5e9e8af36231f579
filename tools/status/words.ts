import { endOf, type Timeline } from "../timeline/timeline.ts";
import { awayInWords, goalInWords, moment, span, titleOf, whenInWords } from "../timeline/words.ts";
import { type EntryStatus, type OpenStatus, silentIn, type Status } from "./status.ts";

/** What was asked of an entry and since when, a line for each of its transitions that tells its goal. */
export const goalsOf = ({ transitions }: EntryStatus): string[] =>
  transitions
    .filter(({ goal }) => Object.keys(goal).length > 0)
    .map((timeline) => `${goalInWords(timeline.goal)} (${timeline.transition}${sinceOf(timeline)})`);

function sinceOf(timeline: Timeline): string {
  if (timeline.open) return ", open";
  return timeline.parts.length === 0 ? "" : `, since ${moment(endOf(timeline))}`;
}

/** What to do about a transition that is open. */
export function openInWords({ name, steps, wayBack }: OpenStatus): {
  readonly what: string;
  readonly back: string;
} {
  const own = steps.map((step) => step.slice(name.length + 1)).join(", ");
  return {
    what: `${name} is open; to run: ${own || "steps that are not in the state yet"}`,
    back: wayBack ?? "set the old values in the stack file, then run npx pulumi up",
  };
}

/** When it was looked at, by which state. */
export function sourceOf({ stackId, at, writtenAt }: Status): string {
  const written = writtenAt
    ? `state written ${moment(writtenAt.getTime())}, ${span(at.getTime() - writtenAt.getTime())} before`
    : "state without a time";
  return `stack id ${stackId}; ${moment(at.getTime())}; ${written}`;
}

/** Whether hosts were asked, and which did not answer. */
export function askedInWords(status: Status): string {
  const asked = status.entries.some(({ said }) => said !== undefined);
  if (!asked) return "hosts were not asked; this is what the state says";
  const silent = silentIn(status);
  return silent.length === 0 ? "every host answered" : `no answer: ${silent.join(", ")}`;
}

/** How a stack stands, for a terminal. */
export function textOf(status: Status): string {
  const { stack, entries, lost, open, halfWritten, latest } = status;
  const trouble = [
    ...open.flatMap((one) => {
      const { what, back } = openInWords(one);
      return [what, "  go on: npx pulumi up", `  way back: ${back}`];
    }),
    ...halfWritten,
    ...lost.map((host) => `${host} is in changeover:unreachable or changeover:suspect, no step runs there`),
  ];
  return [
    `stack ${stack}`,
    sourceOf(status),
    askedInWords(status),
    ...(trouble.length === 0 ? [] : ["", ...trouble]),
    ...entries.flatMap((entry) => ["", ...entryLines(entry)]),
    ...(latest.length === 0 ? [] : ["", "last transitions", ...latest.map((one) => `  ${lastLine(one)}`)]),
  ].join("\n");
}

function entryLines(entry: EntryStatus): string[] {
  const { noun, name, outcome, hosts, said } = entry;
  const lines = said
    ? said.map(({ host, words }) => `${host}: ${words}`)
    : [`hosts: ${hosts.join(", ") || "not in the state of an older release"}`];
  return [`${noun} ${name}: ${outcome}`, ...[...goalsOf(entry), ...lines].map((line) => `  ${line}`)];
}

const lastLine = (timeline: Timeline): string =>
  [`${titleOf(timeline)}: ${whenInWords(timeline)}`, awayInWords(timeline)].filter(Boolean).join("; ");
