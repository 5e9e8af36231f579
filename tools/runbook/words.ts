import { age } from "../../config/last-look.ts";
import { counted } from "../../transition/run-book.ts";
import { changeIn, measuredLine } from "../../transition/run-book-lines.ts";
import type { DocumentStep, DocumentTransition, RunBookDocument } from "./document.ts";

/** The sentences of a run-book, for Markdown and HTML alike: plain text. */

/** What stands over all of it. */
export const titleOf = ({ project, stack, ...document }: RunBookDocument): string =>
  `${project}/${stack}: ${verdictOf(document)}`;

function verdictOf({ verdict, transitions }: Pick<RunBookDocument, "verdict" | "transitions">): string {
  if (verdict === "error") return "the preview ended with an error";
  if (verdict === "nothing") return "nothing to do";
  const count = transitions.length === 0 ? "no transition" : counted(transitions.length, "transition");
  const noticed = transitions.filter(({ users }) => users !== null).map(({ name }) => name);
  const users = noticed.length === 0 ? "nothing" : list(noticed);
  return `${verdict === "refused" ? "would be refused now: " : ""}${count}, users notice ${users}`;
}

/** Whether the update would be refused, as far as somebody has looked. */
export function refusedLine({
  facts,
  refusals,
  transitions,
  verdict,
  unanswered,
}: RunBookDocument): string | undefined {
  if (transitions.length === 0 || verdict === "error") return undefined;
  const now = refusals.filter(({ after }) => after.length === 0).length;
  const silent = unanswered.length === 0 ? "" : `; no answer from ${list(unanswered)}`;
  if (now > 0) return `would be refused: ${counted(now, "reason")}${silent}`;
  if (facts.source !== "live") return "would it be refused? No host was asked for this run-book";
  if (silent) return `nothing is known to stand against it${silent}`;
  return refusals.length === 0
    ? "nothing would be refused"
    : "nothing would be refused now; what is found after an earlier transition is below";
}

/** Words of a change that are longer are counted. UTF-16 units. */
const shownChange = 240;

/** What changes, in words: as the terminal has it, or as much of it as a cell holds. */
export function changeOf({ work, goal, first }: DocumentTransition): string {
  if (work === "") return first ? "for the first time" : "the same goal once more";
  if (work.length <= shownChange) return work;
  const of = (side: "from" | "to") =>
    Object.fromEntries(
      Object.entries(goal).flatMap(([key, { [side]: value }]) => (value === null ? [] : [[key, value]])),
    );
  const parts = changeIn(of("to"), of("from"));
  const shown = parts.filter((_, index) => parts.slice(0, index + 1).join(", ").length <= shownChange);
  const left = parts.length - shown.length;
  return [...shown, ...(left > 0 ? [`${counted(left, "change")} more in the JSON`] : [])].join(", ");
}

/** What users notice, in words. */
export function noticeOf({ users }: DocumentTransition): string {
  if (users === null) return "nothing";
  return `${users.notice}, ${users.to === null ? `from ${users.from} on` : `from ${users.from} to ${users.to}`}`;
}

/** How long users notice it, and how long all of it takes. */
export function howLongOf({ users, measuredSeconds, atMostSeconds }: DocumentTransition): string[] {
  const whole =
    measuredSeconds.length > 0
      ? `all of it: ${measuredLine(measuredSeconds)}`
      : `all of it: not measured on this stack${atMost(atMostSeconds)}`;
  if (users === null) return [whole];
  const away = measuredLine(users.measuredSeconds);
  const ceiling = users.measuredSeconds.length === 0 ? atMost(users.atMostSeconds) : "";
  return [`users: ${away}${ceiling}`, whole];
}

const atMost = (seconds: number | null): string => (seconds === null ? "" : `, at most ${age(seconds)}`);

/** The rows without a way back. */
export const returnsOf = ({ pointOfNoReturn }: DocumentTransition): string =>
  pointOfNoReturn.length === 0 ? "none" : pointOfNoReturn.join(", ");

/** What a person brings. */
export const needsOf = ({ needs }: DocumentTransition): string =>
  needs.length === 0 ? "nothing" : needs.join("; ");

/** How long the steps of a phase take side by side, or may take. */
export function phaseTime(steps: readonly DocumentStep[]): string {
  const usual = steps.flatMap(({ usualSeconds }) => usualSeconds ?? []);
  if (usual.length > 0) return `${Math.max(...usual).toFixed(1)} s`;
  const deadlines = steps.flatMap(({ deadlineSeconds }) => deadlineSeconds ?? []);
  return deadlines.length === 0 ? "" : `at most ${age(Math.max(...deadlines))}`;
}

/** Steps of one phase that say the same, with their hosts together. */
export interface PhaseLine {
  readonly says: string;
  readonly hosts: readonly string[];
  readonly conditional: boolean;
  readonly pointOfNoReturn: boolean;
}

/** The planned steps of a phase, those that say the same as one; a host is named in its own sentence only once. */
export function linesOf(steps: readonly DocumentStep[]): PhaseLine[] {
  const lines = new Map<string, PhaseLine>();
  for (const { host, says, conditional, pointOfNoReturn } of steps.filter(({ planned }) => planned)) {
    const sentence = says.startsWith(`${host} `) ? `each host ${says.slice(host.length + 1)}` : says;
    const shared = sentence.replaceAll(` on ${host}`, " on each host");
    const key = [shared, conditional].join("\u0000");
    const known = lines.get(key);
    lines.set(key, {
      says: known ? shared : says,
      hosts: [...new Set([...(known?.hosts ?? []), host])],
      conditional,
      pointOfNoReturn,
    });
  }
  return [...lines.values()];
}

/** What an update does beside transitions, a line each. */
export function otherLines({ resources }: RunBookDocument): string[] {
  const { others, destroyed, copies, leaving, reworded } = resources;
  const counts = Object.entries(others).map(([op, count]) => `${String(count)} to ${op}`);
  return [
    ...(counts.length > 0 ? [`other resources: ${counts.join(", ")}`] : []),
    ...destroyed.map(
      ({ name, type, op }) => `${op === "delete" ? "destroyed" : "replaced"}: ${name} (${type})`,
    ),
    ...(leaving.length > 0 ? [`${list(leaving)} leave the state; nothing runs on a host for that`] : []),
    ...(copies > 0
      ? [`${counted(copies, "copy").replace(/copys$/, "copies")} of scripts, software or archives to hosts`]
      : []),
    ...(reworded > 0
      ? [`${counted(reworded, "transition")} with other words; nothing is done on any host for that`]
      : []),
  ];
}

/** Where all of it comes from. */
export function footerOf({ commit, at, stackId, transitions, facts, verdict }: RunBookDocument): string[] {
  const epochs = transitions.flatMap(({ name, epoch }) =>
    epoch === null ? [] : [`${name} ${String(epoch)}`],
  );
  return [
    ...(commit === null ? [] : [`commit ${commit}`]),
    `previewed ${at.replace(/\.\d+Z$/, "Z")}`,
    ...(stackId !== null
      ? [`stack ${stackId}`]
      : verdict === "error"
        ? []
        : ["this stack was never updated"]),
    ...(epochs.length > 0 ? [`last epoch: ${epochs.join(", ")}`] : []),
    ...(facts.source === "live" ? ["asked live"] : []),
  ];
}

const list = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
