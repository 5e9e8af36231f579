import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { hostname, userInfo } from "node:os";
import { systems } from "../components/registry.ts";
import { hostLines, type Looked, lookedFile } from "../config/last-look.ts";
import { allAnswered, lookedAt } from "./compare.ts";
import { entriesIn, outputsOf } from "./stack.ts";

const help = `Say in words what the machines of a stack are now, read-only. The next preview within 15 minutes shows it.

Usage: npm run look -- [--stack NAME] [--cwd FOLDER]

Ends with 0 when every machine answered, 75 otherwise.`;

async function look(args: readonly string[]): Promise<number> {
  const outputs = outputsOf(args);
  const entries = await Promise.all(entriesIn(outputs).map((entry) => lookedAt(entry, outputs.targets)));
  const looked: Looked = { at: Date.now(), by: `${userInfo().username}@${hostname()}`, entries };
  const file = lookedFile(outputs.stackId);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, JSON.stringify(looked), { mode: 0o600 });
  console.log(hostLines(entries, 0, systems).join("\n").replace(/^ {2}/gm, ""));
  return allAnswered(entries) ? 0 : 75;
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
