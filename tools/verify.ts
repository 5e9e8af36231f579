import { unfinished } from "../transition/open.ts";
import { compare } from "./compare.ts";
import { entriesIn, exported, looksAtMarks, outputsOf } from "./stack.ts";

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

async function verify(args: readonly string[]): Promise<number> {
  const outputs = outputsOf(args);
  const entries = entriesIn(outputs);
  if (!outputs.operated)
    console.log(
      "the outputs are of an older release: records of hosts are compared after the next npx pulumi up",
    );
  const records = await looksAtMarks(
    entries.flatMap(({ marks }) => marks),
    outputs.targets,
  );
  let [different, answered] = [0, true];
  for (const entry of entries) {
    const told = await compare(entry, records, outputs);
    different += told.lines.length;
    answered &&= told.answered;
    const count = told.lines.length;
    console.log(`${entry.name}: ${count === 0 ? "as the state says" : `${String(count)} difference(s)`}`);
    for (const line of [...(entry.outcome === "complete" ? [] : [entry.outcome]), ...told.lines])
      console.log(`  ${line}`);
  }
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
