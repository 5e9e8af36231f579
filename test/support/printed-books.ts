import { expect } from "vitest";
import type { Ran } from "./told-stack.ts";

/** One run-book as the CLI printed it. */
interface PrintedBook {
  /** Of its transition, for example `sounz-switch`. */
  readonly name: string;
  readonly steps: readonly PrintedStep[];
}

/** Steps of one line: each on its host. */
interface PrintedStep {
  readonly phase: string;
  readonly hosts: readonly string[];
  readonly says: string;
}

/** What the CLI told of the stack itself, warnings too, without the lines of its own; empty when it told nothing. */
export function toldIn(output: string): string {
  const [, told = ""] =
    /\nDiagnostics:\n(?:[^]*?\n\n)?? {2}pulumi:pulumi:Stack \([^)]*\):\n([^]*?)\n\n/.exec(output) ?? [];
  return told.replace(/^ {4}/gm, "");
}

/** The same from the JSON of a preview. */
export function toldInJson(output: string): string {
  const { diagnostics = [] } = JSON.parse(output.slice(output.indexOf("{"))) as {
    readonly diagnostics?: readonly { readonly message: string; readonly severity: string }[];
  };
  return diagnostics
    .map(({ message, severity }) => `${severity === "info" ? "" : `${severity}: `}${message.trimEnd()}`)
    .join("\n");
}

/** The run-books among what was told. */
export function booksIn(told: string): PrintedBook[] {
  const lines = told.split("\n");
  const begins = lines.flatMap((line, at) => (/^\S+(:| is half done:) .*\bsteps?\b/.test(line) ? [at] : []));
  return begins.map((at, index) => ({
    name: /^[^\s:]+/.exec(lines[at] ?? "")?.[0] ?? "",
    steps: stepsIn(lines.slice(at + 1, begins[index + 1])),
  }));
}

function stepsIn(lines: readonly string[]): PrintedStep[] {
  const steps: PrintedStep[] = [];
  for (const line of lines) {
    const [, phase = "", hosts = "", says = ""] =
      /^ +[\d-]+\. (\S*) +(\S+(?:, \S+)*) {2,}(\S.*)$/.exec(line) ?? [];
    if (says === "") continue;
    steps.push({ phase: phase || (steps.at(-1)?.phase ?? ""), hosts: hosts.split(", "), says });
  }
  return steps;
}

const isConditional = ({ says }: PrintedStep): boolean =>
  /^(only )?if /.test(says) && !says.startsWith("if a newer");

/** Whether a step that ran is one of those of a line. */
function isOf({ phase, hosts, says }: PrintedStep, { triggers, name }: Ran): boolean {
  const { host, says: said } = triggers;
  // The platform is told nothing in words.
  if (said === undefined) return name.includes(`-${phase}`);
  const each = said.split(" ").map((word) => (word === host && hosts.length > 1 ? "each" : word));
  const words = each.join(" ");
  return [words, words.replace(" (point of no return)", "")].includes(says);
}

/**
 * What ran is what the run-books say: each step once on its host, a phase only when the one before it had ended, and nothing that
 * is only for the case of need.
 */
export function expectRanAsTold(told: string, ran: readonly Ran[]): void {
  const books = booksIn(told);
  expect(books.length, told).toBeGreaterThan(0);
  const left = new Set(ran);
  for (const { name, steps } of books) {
    const own = ran.filter((step) => step.name.startsWith(`${name}-`));
    let [phase, ended, latest] = ["", 0, 0];
    for (const step of steps.filter((one) => !isConditional(one))) {
      if (step.phase !== phase) [phase, ended] = [step.phase, latest];
      for (const host of step.hosts) {
        const found = own.find((one) => left.has(one) && hostOf(one) === host && isOf(step, one));
        expect(found?.name, `${name}: ${host}: ${step.says}`).toBeDefined();
        if (!found) continue;
        left.delete(found);
        expect(
          found.began,
          `${found.name} began before the phase before ${phase} had ended`,
        ).toBeGreaterThanOrEqual(ended);
        latest = Math.max(latest, found.ended);
      }
    }
  }
  expect(
    [...left].map((step) => step.name),
    "ran, and was not told",
  ).toEqual([]);
}

const hostOf = ({ triggers }: Ran): string => triggers.host ?? "operator";
