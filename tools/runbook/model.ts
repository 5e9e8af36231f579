import type { RunBook } from "../../transition/run-book.ts";
import { workLine } from "../../transition/run-book-lines.ts";
import { type Booked, booksIn } from "./books.ts";
import { type Digest, knownText, type Resource, resourcesIn } from "./digest.ts";
import type { DocumentStep, DocumentTransition, Facts, Refusal, RunBookDocument } from "./document.ts";
import { othersIn } from "./others.ts";
import { atMostSeconds, awaySeconds, measuredSeconds, usualSeconds } from "./times.ts";

/** What a preview plans. */
export interface Plan {
  /** The id that the stack made for itself; undefined: it was never updated. */
  readonly stackId?: string;
  readonly books: readonly Booked[];
  readonly resources: RunBookDocument["resources"];
  readonly diagnostics: RunBookDocument["diagnostics"];
}

/** What is known beside the preview. */
export interface Circumstances {
  readonly project: string;
  readonly stack: string;
  readonly commit: string | null;
  readonly at: Date;
  /** Whether the preview itself failed. */
  readonly failed: boolean;
  readonly facts: Facts;
  /** What the hosts were found to be refused for; what the program refuses without a look comes from the plan. */
  readonly refusals: readonly Refusal[];
  readonly unanswered: readonly string[];
}

/** What a preview plans, from its digest alone. */
export function planOf(digest: Digest): Plan {
  const resources = resourcesIn(digest);
  const { books, reworded } = booksIn(resources);
  return {
    ...stackIdIn(resources),
    books,
    resources: othersIn(resources, reworded),
    diagnostics: digest.diagnostics
      // What the program tells as information is in the rest of the document.
      .filter(({ severity }) => !severity.startsWith("info"))
      .map(({ severity, message }) => ({ severity, text: message.trim().replace(/^(error|warning): /, "") })),
  };
}

function stackIdIn(resources: ReadonlyMap<string, Resource>): Pick<Plan, "stackId"> {
  const stack = [...resources.values()].find(
    ({ name, type }) => name === "stack" && type === "random:index/randomId:RandomId",
  );
  const stackId = knownText(stack?.before?.outputs?.hex);
  return stackId === undefined ? {} : { stackId };
}

/** The document of a plan. */
export function documentOf(plan: Plan, about: Circumstances): RunBookDocument {
  const refusals = eachOnce([...plan.books.flatMap(refusedByProgram), ...about.refusals]);
  return {
    version: 1,
    project: about.project,
    stack: about.stack,
    stackId: plan.stackId ?? null,
    commit: about.commit,
    at: about.at.toISOString(),
    verdict: verdictOf(plan, refusals, about.failed),
    transitions: plan.books.map(transitionOf),
    facts: about.facts,
    refusals,
    unanswered: [...about.unanswered],
    resources: plan.resources,
    diagnostics: plan.diagnostics,
  };
}

function verdictOf(
  { books, resources }: Plan,
  refusals: readonly Refusal[],
  failed: boolean,
): RunBookDocument["verdict"] {
  if (failed) return "error";
  if (refusals.some(({ after }) => after.length === 0)) return "refused";
  const changes = Object.keys(resources.others).length > 0 || resources.copies > 0;
  return books.length > 0 || resources.reworded > 0 || changes ? "plan" : "nothing";
}

/** What several looks found is one refusal; it holds now when it does for one of them. */
function eachOnce(refusals: readonly Refusal[]): Refusal[] {
  const found = new Map<string, Refusal>();
  for (const { text, transitions, after } of refusals) {
    const known = found.get(text);
    found.set(text, {
      transitions: [...new Set([...(known?.transitions ?? []), ...transitions])],
      text,
      after: known?.after.length === 0 ? [] : after,
    });
  }
  return [...found.values()];
}

const refusedByProgram = ({ book, look, after }: Booked): Refusal[] =>
  look?.refused === undefined ? [] : [{ transitions: [book.name], text: look.refused, after: [...after] }];

function transitionOf(booked: Booked): DocumentTransition {
  const { book, pointOfNoReturn, after, epoch } = booked;
  const { name, state, users, wayBack, needs, skipped } = book;
  if (state === "reworded") throw new Error(`${name} has nothing to do`);
  return {
    name,
    state,
    work: workLine(book),
    first: book.was === undefined && state === "planned",
    goal: goalIn(book),
    users: users
      ? {
          notice: users.notice,
          from: users.from,
          to: users.to ?? null,
          measuredSeconds: awaySeconds(booked),
          atMostSeconds: users.to === undefined ? null : atMostSeconds(booked, users),
        }
      : null,
    measuredSeconds: measuredSeconds(booked),
    atMostSeconds: atMostSeconds(booked),
    pointOfNoReturn: [...pointOfNoReturn],
    wayBack,
    needs: [...needs],
    skipped: [...skipped],
    after: [...after],
    epoch: epoch ?? null,
    phases: phasesIn(booked),
  };
}

function goalIn({ goal, was }: RunBook): DocumentTransition["goal"] {
  const keys = [...new Set([...Object.keys(goal), ...Object.keys(was ?? {})])];
  return Object.fromEntries(keys.map((key) => [key, { from: was?.[key] ?? null, to: goal[key] ?? null }]));
}

function phasesIn(booked: Booked): DocumentTransition["phases"] {
  const phases = new Map<string, DocumentStep[]>();
  for (const step of booked.book.steps) {
    const { name, phase, host, says, planned, conditional, pointOfNoReturn } = step;
    const row = booked.rows[booked.rowOf.get(name) ?? ""];
    const told = {
      ...{ name, host, says, planned, conditional, pointOfNoReturn },
      usualSeconds: usualSeconds(booked, name),
      deadlineSeconds: row?.deadlineSeconds ?? null,
    };
    phases.set(phase, [...(phases.get(phase) ?? []), told]);
  }
  return [...phases].map(([name, steps]) => ({ name, steps }));
}
