import type { DocumentTransition, RunBookDocument } from "./document.ts";
import { code, fenced, plain, prose, summaryText } from "./escape.ts";
import { flowchart } from "./mermaid.ts";
import {
  changeOf,
  footerOf,
  howLongOf,
  linesOf,
  needsOf,
  noticeOf,
  otherLines,
  phaseTime,
  refusedLine,
  returnsOf,
  titleOf,
} from "./words.ts";
import { counted } from "../../transition/run-book.ts";

/** GitHub takes 65,536 UTF-16 units, other forges count bytes; a heading of whoever posts it has room. */
const budget = 60_000;

/** With more transitions than these, those that users don't notice are folded away. */
const unfolded = 8;

/**
 * What is left out when a comment would be too long, in this order. Each level leaves out what the levels before did, and the last one
 * also rows of lists at their ends. A row is whole or it is not there.
 */
export const levels = [
  "nothing",
  "the counts of all resources",
  "the steps of transitions that users do not notice",
  "the diagram",
  "all steps",
  "what hosts said",
  "ends of long lists",
] as const;

/** What a comment of a stack begins with, so that the next one replaces it. */
export const markerOf = ({ project, stack }: Pick<RunBookDocument, "project" | "stack">): string =>
  `<!-- changeover:runbook ${[project, stack].map((name) => name.replace(/[^\w.-]/g, "_")).join("/")} -->`;

/** The run-book as a comment of a pull request: the most that fits. */
export function markdownOf(document: RunBookDocument): string {
  for (const level of levels.keys()) {
    const text = rendered(document, level);
    if (fits(text)) return text;
  }
  throw new Error("the run-book does not fit into a comment"); // The shares of the last level add up to less.
}

const fits = (text: string): boolean => text.length < budget && Buffer.byteLength(text) < budget;

const heading =
  "| transition | what changes | users notice | how long | point of no return | way back | a person brings |";

function rendered(document: RunBookDocument, level: number): string {
  const without = (what: (typeof levels)[number]): boolean => level >= levels.indexOf(what);
  const short = without("ends of long lists");
  const refused = refusedLine(document);
  const sections = [
    [`### ${plain(titleOf(document))}`],
    refused === undefined ? [] : [`**${plain(refused)}**`],
    refusalLines(document, short),
    ...tables(document.transitions, short),
    listed(
      otherLines(document).map((line) => `- ${prose(line)}`),
      short ? 4000 : Infinity,
    ),
    skippedLines(document, short),
    factLines(document, without("what hosts said")),
    diagnosticLines(document, short),
    without("the diagram") ? [] : diagram(document),
    ...document.transitions.map((transition) =>
      without("all steps") ||
      (without("the steps of transitions that users do not notice") && transition.users === null)
        ? []
        : stepsOf(transition),
    ),
    leftOut(level),
    without("the counts of all resources") ? [] : countLines(document),
    [
      `<sub>${footerOf(document)
        .map((part) => plain(part))
        .join(" · ")}</sub>`,
    ],
  ];
  const lines = sections.filter((section) => section.length > 0).map((section) => section.join("\n"));
  return `${markerOf(document)}\n${lines.join("\n\n")}\n`;
}

function tables(transitions: readonly DocumentTransition[], short: boolean): string[][] {
  if (transitions.length === 0) return [];
  const noticed = transitions.filter(
    ({ users, pointOfNoReturn }) => users !== null || pointOfNoReturn.length > 0,
  );
  const folds = transitions.length > unfolded && noticed.length < transitions.length;
  const first = table(folds ? noticed : transitions, short ? 22_000 : Infinity);
  if (!folds) return [first];
  const others = transitions.filter((one) => !noticed.includes(one));
  const rest = table(others, short ? 8_000 : Infinity);
  return [
    noticed.length > 0 ? first : [],
    details(`${counted(others.length, "transition")} that users do not notice`, rest),
  ];
}

function table(transitions: readonly DocumentTransition[], bytes: number): string[] {
  const rows = transitions.map((one) => {
    const cells = [
      `**${plain(one.name, 100)}**`,
      plain(changeOf(one), 300),
      plain(noticeOf(one), 200),
      howLongOf(one)
        .map((line) => plain(line, 150))
        .join("<br>"),
      plain(returnsOf(one), 200),
      prose(one.wayBack, 300),
      plain(needsOf(one), 300),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const kept = listed(rows, bytes);
  const more = kept.at(-1)?.startsWith("|") ? [] : ["", ...kept.splice(-1)];
  return [heading, "| --- | --- | --- | --- | --- | --- | --- |", ...kept, ...more];
}

/** Whole lines up to so many bytes, and how many are left. */
function listed(lines: readonly string[], bytes: number): string[] {
  let size = 0;
  const kept = lines.filter((line) => (size += Buffer.byteLength(line) + 1) <= bytes);
  const left = lines.length - kept.length;
  return left === 0 ? kept : [...kept, `${String(left)} more in the JSON`];
}

function refusalLines({ refusals }: RunBookDocument, short: boolean): string[] {
  const lines = refusals.map(({ transitions, text, after }) => {
    const later =
      after.length === 0 ? "" : ` (as it is now; ${plain(after.join(", "), 200)} may change it before)`;
    return `- ${plain(transitions.join(", "), 100)}: ${prose(text)}${later}`;
  });
  return listed(lines, short ? 12_000 : Infinity);
}

function skippedLines({ transitions }: RunBookDocument, short: boolean): string[] {
  const lines = new Set(transitions.flatMap(({ skipped }) => skipped));
  return listed(
    [...lines].map((line) => `- skipped: ${plain(line)}`),
    short ? 3000 : Infinity,
  );
}

function factLines({ facts, verdict }: RunBookDocument, without: boolean): string[] {
  if (verdict === "error") return [];
  const lines = without ? [] : facts.lines.map((line) => `- ${prose(line)}`);
  const more =
    without && facts.lines.length > 0 ? `; ${counted(facts.lines.length, "line")} in the JSON` : "";
  return [`${prose(facts.says)}${more}`, ...(lines.length > 0 ? ["", ...lines] : [])];
}

function diagnosticLines({ diagnostics, verdict }: RunBookDocument, short: boolean): string[] {
  if (diagnostics.length === 0) return [];
  const lines = diagnostics.flatMap(({ severity, text }) => `${severity}: ${text}`.split("\n"));
  const block = fenced(listed(lines, short ? 6000 : Infinity));
  return verdict === "error" || diagnostics.length < 3
    ? block
    : details(counted(diagnostics.length, "warning"), block);
}

function diagram(document: RunBookDocument): string[] {
  const lines = flowchart(document);
  if (lines.length === 0) return [];
  return ["```mermaid", ...lines, "```", "", "Dashed: users notice it. Thick: the point of no return."];
}

/** One row a phase. */
function stepsOf({ name, phases }: DocumentTransition): string[] {
  const all = phases.flatMap(({ steps }) => steps);
  const planned = phases.filter(({ steps }) => steps.some((step) => step.planned));
  const rows = planned.map(({ name: phase, steps }) => {
    const lines = linesOf(steps);
    const says = lines.map((line) => (line.pointOfNoReturn ? `**${plain(line.says)}**` : plain(line.says)));
    const hosts = lines.map((line) => plain(line.hosts.join(", "), 300));
    const first = all.findIndex((step) => step === steps.find((one) => one.planned)) + 1;
    return `| ${String(first)} | ${plain(phase, 100)} | ${hosts.join("<br>")} | ${says.join("<br>")} | ${plain(phaseTime(steps))} |`;
  });
  const count = all.filter((step) => step.planned).length;
  const summary = `${name}: ${counted(count, "step")} in ${counted(planned.length, "phase")}`;
  return details(summary, [
    "| step | phase | on | what is so afterwards | usual time |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ]);
}

const details = (summary: string, lines: readonly string[]): string[] => [
  `<details><summary>${summaryText(summary)}</summary>`,
  "",
  ...lines,
  "",
  "</details>",
];

function leftOut(level: number): string[] {
  if (level === 0) return [];
  return [
    `Left out, since a comment has a limit: ${levels.slice(1, level + 1).join(", ")}. All of it is in the JSON of ${code("npm run runbook -- --json FILE")}.`,
  ];
}

function countLines({ resources, verdict }: RunBookDocument): string[] {
  if (verdict === "error") return [];
  const counts = Object.entries(resources.counts).map(([op, count]) => `${op} ${String(count)}`);
  return details("all resources of the preview", [plain(counts.join(", "))]);
}
