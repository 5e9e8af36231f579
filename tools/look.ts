import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { lookedFile } from "../transition/last-look.ts";
import {
  type Entry,
  entriesIn,
  looksAt,
  outputsOf,
  pulumiStack,
  silence,
  type StackOutputs,
} from "./stack.ts";

const help = `Say in words what the machines of a stack are now, read-only. The next preview within 15 minutes shows it.

Usage: npm run look -- [--stack NAME] [--cwd FOLDER]

Ends with 0 when every machine answered, 75 otherwise.`;

async function linesOf(entry: Entry, targets: StackOutputs["targets"]) {
  const { system, name, expected, outcome } = entry;
  const seen = await looksAt(entry, targets);
  const lines = seen.map((one) =>
    one.look.facts ? `${one.look.host}: ${system.describe(name, expected, one)}` : silence(one.look),
  );
  return {
    lines: [...(outcome === "complete" ? [] : [outcome]), ...new Set(lines)].map(
      (line) => `${name}: ${line}`,
    ),
    answered: seen.every(({ look }) => look.facts),
  };
}

async function look(args: readonly string[]): Promise<number> {
  const outputs = outputsOf(args);
  const told = await Promise.all(entriesIn(outputs).map((entry) => linesOf(entry, outputs.targets)));
  const lines = told.flatMap((entry) => entry.lines);
  const file = lookedFile(pulumiStack("--show-name", ...args).trim());
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, JSON.stringify({ at: Date.now(), lines }));
  console.log(lines.join("\n"));
  return told.every(({ answered }) => answered) ? 0 : 75;
}

const args = process.argv.slice(2);
if (args.includes("--help")) console.log(help);
else {
  try {
    process.exitCode = await look(args);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
