import { counted, type Run, type RunBook, type RunBookStep } from "./run-book.ts";
import type { Keepers } from "./table.ts";

/** A run-book as lines for a terminal. A sentence is never cut, since a reader may wait for its last word. */
export function runBookLines(book: RunBook): string[] {
  const { name, refuses, skipped } = book;
  if (refuses !== undefined) return [`${name}: nothing of it goes on`, `  refused: ${refuses}`];
  return [
    `${name}${headline(book)}`,
    ...[
      ...changeLines(book),
      ...facts(book),
      ...stepLines(book),
      ...skipped.map((line) => `skipped: ${line}`),
    ].map((line) => `  ${line}`),
  ];
}

/** Whether users notice what is left of it to do. */
export const isNoticed = (book: RunBook): boolean =>
  book.refuses === undefined && usersLine(book) !== nothing;

const nothing = "nothing";

/** More of a goal than this is not told in one line. */
const inOneLine = 3;

function headline(book: RunBook): string {
  const { state, steps } = book;
  const planned = steps.filter((step) => step.planned);
  if (state === "hosts") return `: ${countOf(planned, ` for ${newHosts(book)}`)}; the goal is the same`;
  if (state === "open") return `${planned.length === steps.length ? ": " : " is "}${openLine(book)}`;
  return `: ${countOf(planned)}${goalPart(book)}${halfWayPart(book)}`;
}

/** What an update does for a goal, in one line without the transition's name; empty: the same once more. */
export function workLine(book: RunBook): string {
  if (book.state === "hosts") return `for ${newHosts(book)}; the goal is the same`;
  if (book.state === "open") return openLine(book);
  return `${changeIn(book.goal, book.was ?? {}).join(", ")}${halfWayPart(book)}`;
}

const newHosts = ({ steps }: RunBook): string =>
  steps
    .filter(({ phase, planned }) => planned && phase === "done")
    .map(({ host }) => host)
    .join(", ");

function openLine({ goal, steps }: RunBook): string {
  const still = Object.keys(goal).length === 0 ? "" : `; the goal is still ${goalWords(goal)}`;
  const first = steps.findIndex((step) => step.planned);
  if (steps.every((step) => step.planned))
    return `none of its ${counted(steps.length, "step")} has run yet${still}`;
  return `half done: it goes on at step ${String(first + 1)} of ${String(steps.length)}${still}`;
}

const halfWayPart = ({ was, wasReached }: RunBook): string =>
  was !== undefined && wasReached === false ? "; the update before stopped half-way" : "";

function goalPart({ goal, was }: RunBook): string {
  if (Object.keys(goal).length === 0) return "";
  if (was === undefined) return `; goal: ${goalWords(goal)}`;
  const changes = changeIn(goal, was);
  if (changes.length === 0) return "; it runs again for the same goal";
  return `; goal: ${changes.length <= inOneLine ? changes.join(", ") : counted(changes.length, "change")}`;
}

/** Changes of a goal that are too many for one line. */
function changeLines({ goal, was, state }: RunBook): string[] {
  const changes = state === "planned" && was !== undefined ? changeIn(goal, was) : [];
  return changes.length <= inOneLine ? [] : changes.map((change) => `goal: ${change}`);
}

/** A goal as it is; what is long is all in the stack file. */
function goalWords(goal: Keepers): string {
  const words = Object.entries(goal).map(([key, value]) => `${key} ${value}`);
  const more = words.length - inOneLine;
  return more <= 0 ? words.join(", ") : `${words.slice(0, inOneLine).join(", ")} and ${String(more)} more`;
}

/** What changes of the goal, a few words each: `production slayer => megadeth`. */
export function changeIn(goal: Keepers, was: Keepers): string[] {
  const keys = [...new Set([...Object.keys(goal), ...Object.keys(was)])];
  return keys
    .filter((key) => goal[key] !== was[key])
    .map((key) => `${key} ${was[key] === undefined ? "" : `${was[key]} => `}${goal[key] ?? "none"}`);
}

/** How many steps; those that may turn out not to be needed are counted apart. */
function countOf(planned: readonly RunBookStep[], whose = ""): string {
  const conditional = planned.filter((step) => step.conditional).length;
  const sure = `${counted(planned.length - conditional, "step")}${whose}`;
  return conditional === 0 ? sure : `${sure}, and ${String(conditional)} only if needed`;
}

/** What a reader asks before the steps: who notices, how long, is there a way back, what must be brought. */
function facts(book: RunBook): string[] {
  const isFirst = book.was === undefined && book.state === "planned";
  const [users, returns] = [usersLine(book), returnsLine(book)];
  if (isFirst && users === nothing && returns === "none" && book.needs.length === 0)
    return ["users notice nothing; there is no point of no return, and no earlier goal to go back to"];
  return [
    `users notice: ${users}`,
    `point of no return: ${returns}`,
    `way back: ${isFirst ? "there is no earlier goal" : book.wayBack}`,
    ...book.needs.map((need) => `needs: ${need}`),
  ];
}

function returnsLine({ steps, state }: RunBook): string {
  const returns = steps.filter(
    ({ pointOfNoReturn, conditional, planned }) =>
      pointOfNoReturn && !conditional && (planned || state === "open"),
  );
  const rows = new Map(returns.map(({ row, planned }) => [row, planned ? row : `${row}, which has run`]));
  return rows.size === 0 ? "none" : [...rows.values()].join(", ");
}

function usersLine({ users, measured, steps, state }: RunBook): string {
  // A host that is new, or is back, serves nobody yet.
  if (users === undefined || state === "hosts") return nothing;
  const { notice, from, to } = users;
  const runs = (wanted: string | undefined) => steps.some(({ row, planned }) => planned && row === wanted);
  if (state !== "open" || runs(from)) {
    // Without an end there is nothing to measure.
    return to === undefined
      ? `${notice}, from ${from} on`
      : `${notice}, from ${from} to ${to}; ${awayLine(measured)}`;
  }
  if (to !== undefined && !runs(to)) return nothing;
  return `${notice}, since ${from}${to === undefined ? "" : ` and until ${to}`}`;
}

/** How long users noticed the last runs. */
const awayLine = (measured: readonly Run[]): string =>
  measuredLine(measured.flatMap(({ awaySeconds }) => awaySeconds ?? []));

/** What was measured on this stack, a number a run, in seconds. */
export function measuredLine(seconds: readonly number[]): string {
  if (seconds.length === 0) return "not measured on this stack";
  const [least, most] = [Math.min(...seconds), Math.max(...seconds)].map((one) => one.toFixed(1));
  return `${least === most ? String(least) : `${String(least)} to ${String(most)}`} s in ${counted(seconds.length, "run")} on this stack`;
}

/** Steps of one phase that do the same, each on its host. */
interface StepLine {
  readonly number: string;
  readonly phase: string;
  readonly hosts: string;
  readonly says: string;
}

/** Longer lists of hosts do not push the sentences of other steps to the right. */
const hostColumn = 32;

function stepLines(book: RunBook): string[] {
  const lines = togetherOf(book);
  const widest = (values: readonly string[]) => Math.max(...values.map((value) => value.length));
  const numbers = widest(lines.map(({ number }) => number));
  const phases = widest(lines.map(({ phase }) => phase));
  const hosts = Math.min(hostColumn, widest(lines.map(({ hosts: names }) => names)));
  return lines.map((line, index) => {
    // A phase is named once, at its first step.
    const phase = lines[index - 1]?.phase === line.phase ? "" : line.phase;
    return `${line.number.padStart(numbers)}. ${phase.padEnd(phases)}  ${line.hosts.padEnd(hosts)}  ${line.says}`;
  });
}

/** Planned steps, those together that do the same on several hosts. Half done, a step has its number of the whole. */
function togetherOf({ steps, state }: RunBook): StepLine[] {
  const planned = steps
    .map((step, index) => ({ ...step, at: index + 1 }))
    .filter((step) => step.planned)
    .map((step, index) => ({ ...step, at: state === "open" ? step.at : index + 1 }));
  const together: (typeof planned)[] = [];
  for (const step of planned) {
    const last = together.at(-1);
    const [first, before] = [last?.[0], last?.at(-1)];
    const same =
      first?.phase === step.phase && eachSays(first) === eachSays(step) && before?.at === step.at - 1;
    if (last && same) last.push(step);
    else together.push([step]);
  }
  return together.map((same) => {
    const [first, last] = [same[0], same.at(-1)] as [(typeof planned)[0], (typeof planned)[0]];
    return {
      number: first === last ? String(first.at) : `${String(first.at)}-${String(last.at)}`,
      phase: first.phase,
      hosts: same.map(({ host }) => host).join(", "),
      says: first === last ? told(first) : eachSays(first),
    };
  });
}

/** The sentence of a step; whoever reads it must see that the step may turn out not to be needed. */
const told = ({ says, conditional }: RunBookStep): string =>
  conditional && !/^(only )?if /.test(says) ? `only if needed: ${says}` : says;

/** The sentence of a step that says the same of its host as other steps say of theirs. */
const eachSays = (step: RunBookStep): string =>
  told(step)
    .split(" ")
    .map((word) => (word === step.host ? "each" : word))
    .join(" ");
