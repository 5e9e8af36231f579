import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { cacheInWords } from "../components/cache/verify.ts";
import { lookedFile } from "../transition/last-look.ts";
import { inWords } from "../components/pair/describe.ts";
import { leftOut } from "../components/pair/verify.ts";
import { upgradeInWords } from "../components/staged-upgrade/verify.ts";
import { looksAt, looksAtCache, looksAtUpgrade, outputsOf, pulumiStack } from "./stack.ts";

const help = `Say in words what the machines of a stack are now, read-only. The next preview within 15 minutes shows it.

Usage: npm run look -- [--stack NAME] [--cwd FOLDER]

Ends with 0 when every machine answered, 75 otherwise.`;

async function look(args: readonly string[]): Promise<number> {
  const { expected, caches = {}, upgrades = {}, targets } = outputsOf(args);
  const all = await Promise.all(
    expected.map(async (pair) => ({ pair, looks: await looksAt(pair, targets) })),
  );
  const cached = await Promise.all(
    Object.entries(caches).map(async ([name, cache]) => ({
      name,
      looks: await looksAtCache(name, cache, targets),
    })),
  );
  const upgraded = await Promise.all(
    Object.entries(upgrades).map(async ([name, upgrade]) => ({
      name,
      looks: await looksAtUpgrade(name, upgrade, targets),
    })),
  );
  const lines = [
    ...all.flatMap(({ pair, looks }) =>
      [...leftOut(pair), ...looks.map(inWords)].map((line) => `${pair.component}: ${line}`),
    ),
    ...cached.flatMap(({ name, looks }) =>
      looks.map(({ component, look }) => `${name}: ${cacheInWords(name, component, look)}`),
    ),
    ...upgraded.flatMap(({ name, looks }) => looks.map((seen) => `${name}: ${upgradeInWords(seen)}`)),
  ];
  const file = lookedFile(pulumiStack("--show-name", ...args).trim());
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, JSON.stringify({ at: Date.now(), lines }));
  console.log(lines.join("\n"));
  const silent =
    [...all, ...upgraded].some(({ looks }) => looks.some(({ facts }) => !facts)) ||
    cached.some(({ looks }) => looks.some(({ look: { facts } }) => !facts));
  return silent ? 75 : 0;
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
