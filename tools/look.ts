import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe } from "./compare.ts";
import { entriesIn, outputsOf, pulumiStack } from "./stack.ts";
import { lookedFile } from "../transition/last-look.ts";

const help = `Say in words what the machines of a stack are now, read-only. The next preview within 15 minutes shows it.

Usage: npm run look -- [--stack NAME] [--cwd FOLDER]

Ends with 0 when every machine answered, 75 otherwise.`;

async function look(args: readonly string[]): Promise<number> {
  const outputs = outputsOf(args);
  const told = await Promise.all(entriesIn(outputs).map((entry) => describe(entry, outputs.targets)));
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
