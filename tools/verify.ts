import { openOf } from "../transition/marks.ts";
import { type OpenTransition, openTransitions, unfinished } from "../transition/open.ts";
import { compare } from "./compare.ts";
import {
  type Deployment,
  type Entry,
  entriesIn,
  exported,
  looksAtMarks,
  outputsIn,
  type StackOutputs,
} from "./stack.ts";

const help = `Look at all hosts of a stack, read-only, and compare them with its state.

Usage: npm run verify -- [--settled] [--stack NAME] [--cwd FOLDER]

  --settled   only whether every transition in the state has ended; dials nothing. For CI, before a change
              that renames, aliases or moves a component, which would break a state with an open one

Any other flag is handed to \`pulumi stack\`. Ends with 0 when all is as the state
says, 77 when something differs (a line each), 75 when a host did not answer.`;

/** What the state itself says to be unfinished. */
function settled(args: readonly string[]): number {
  const { resources, pending_operations: pending } = exported(args);
  const lines = unfinished(resources ?? [], pending);
  console.log(lines.length === 0 ? "every transition in the state has ended" : lines.join("\n"));
  return lines.length === 0 ? 0 : 77;
}

/** What is said of transitions that no output knows: their first update has not ended. */
function sayBegun(open: readonly OpenTransition[]): void {
  for (const { name, id } of open) console.log(`${name} ${id} has not ended; continue: npx pulumi up`);
}

/** The outputs; undefined when the first update of the stack is open, which is said. */
function outputsUnless(open: readonly OpenTransition[], state: Deployment): StackOutputs | undefined {
  try {
    return outputsIn(state);
  } catch (error) {
    if (open.length === 0) throw error;
    sayBegun(open);
    return undefined;
  }
}

/** What the last update left out. That a transition of the entry is open is told by that transition's own line, with its cure. */
function outcomeLines({ outcome, marks }: Entry, open: readonly OpenTransition[]): string[] {
  const isTold = outcome === "complete" || (outcome.startsWith("open: ") && openOf(marks, open).length > 0);
  return isTold ? [] : [outcome];
}

async function verify(args: readonly string[]): Promise<number> {
  const state = exported(args);
  const open = openTransitions(state.resources ?? []);
  const outputs = outputsUnless(open, state);
  if (!outputs) return 77;
  const entries = entriesIn(outputs);
  if (!outputs.operated)
    console.log(
      "the outputs are of an older release: records of hosts are compared after the next npx pulumi up",
    );
  const marks = entries.flatMap((entry) => entry.marks);
  const records = await looksAtMarks(marks, outputs.targets);
  let [different, answered] = [0, true];
  for (const entry of entries) {
    const told = await compare(entry, records, outputs, open);
    different += told.lines.length;
    answered &&= told.answered;
    const count = told.lines.length;
    console.log(`${entry.name}: ${count === 0 ? "as the state says" : `${String(count)} difference(s)`}`);
    for (const line of [...outcomeLines(entry, open), ...told.lines]) console.log(`  ${line}`);
  }
  // An entry that is new has no outputs before its first update has ended.
  const known = new Set(openOf(marks, open));
  const begun = open.filter((one) => !known.has(one));
  sayBegun(begun);
  different += begun.length;
  if (!answered) return 75;
  return different > 0 ? 77 : 0;
}

const args = process.argv.slice(2);
if (args.includes("--help")) console.log(help);
else {
  try {
    const rest = args.filter((arg) => arg !== "--settled");
    process.exitCode = rest.length < args.length ? settled(rest) : await verify(rest);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
