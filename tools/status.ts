import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { allAnswered, lookedAt } from "./compare.ts";
import { runTool, stackArgs, stackOptions } from "./flags.ts";
import { entriesIn, exported, outputsIn, pulumiStack } from "./stack.ts";
import { statusPage } from "./status/page.ts";
import { statusOf } from "./status/status.ts";
import { textOf } from "./status/words.ts";

const help = `Say how a stack stands, read-only: who serves, what runs where, what is open or lost, and the last transitions.

Usage: npm run status -- [--html FILE] [--no-dial] [--stack NAME] [--cwd FOLDER]

  --html FILE   one page for a browser, which needs nothing besides itself
  --no-dial     only what the state says; no host is asked

Ends with 0 when every host answered or none was asked, 75 when one did not answer, 64 when it is called wrongly.`;

const options = {
  ...stackOptions,
  html: { type: "string" },
  dial: { type: "boolean", default: true },
} as const;

type Flags = ReturnType<typeof parseArgs<{ readonly options: typeof options }>>["values"];

async function status(flags: Flags): Promise<number> {
  const args = stackArgs(flags);
  const [stack, state] = [pulumiStack("--show-name", ...args).trim(), exported(args)];
  const outputs = outputsIn(state);
  const entries = entriesIn(outputs);
  const looked = flags.dial
    ? await Promise.all(entries.map((entry) => lookedAt(entry, outputs.targets)))
    : undefined;
  const found = statusOf({ stack, at: new Date(), state, outputs, entries, looked });
  if (flags.html === undefined) console.log(textOf(found));
  else writeFileSync(flags.html, await statusPage(found));
  return looked && !allAnswered(looked) ? 75 : 0;
}

await runTool(help, () => parseArgs({ options, allowNegative: true }).values, status);
