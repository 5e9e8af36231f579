import { poolDifferences } from "../components/app-pool/verify.ts";
import { cacheDifferences } from "../components/cache/verify.ts";
import { markDifferences } from "../transition/marks.ts";
import { type ExportedEntry, unfinished } from "../transition/open.ts";
import { differences, leftOut } from "../components/pair/verify.ts";
import { upgradeDifferences } from "../components/staged-upgrade/verify.ts";
import {
  looksAt,
  looksAtCache,
  looksAtMarks,
  looksAtPool,
  looksAtUpgrade,
  outputsOf,
  pulumiStack,
  scriptsAt,
} from "./stack.ts";

const help = `Look at all hosts of a stack, read-only, and compare them with its state.

Usage: npm run verify -- [--settled] [--stack NAME] [--cwd FOLDER]

  --settled   only whether every transition in the state has ended; dials nothing. For CI, before a change
              that renames, aliases or moves a component, which would break a state with an open one

Any other flag is handed to \`pulumi stack\`. Ends with 0 when all is as the state
says, 77 when something differs (a line each), 75 when a host did not answer.`;

interface Exported {
  readonly deployment: { readonly resources?: ExportedEntry[]; readonly pending_operations?: unknown[] };
}

/** What the state itself says to be unfinished. */
function settled(args: readonly string[]): number {
  const { resources, pending_operations: pending } = (JSON.parse(pulumiStack("export", ...args)) as Exported)
    .deployment;
  const lines = unfinished(resources ?? [], pending);
  console.log(lines.length === 0 ? "every transition in the state has ended" : lines.join("\n"));
  return lines.length === 0 ? 0 : 77;
}

async function verify(args: readonly string[]): Promise<number> {
  const {
    stackId,
    expected,
    marks = [],
    expectedPools = [],
    caches = {},
    upgrades = {},
    targets,
  } = outputsOf(args);
  let [different, silent] = [0, 0];
  const told = (
    component: string,
    lines: readonly string[],
    looks: readonly { readonly facts?: unknown }[],
    besides: string[] = [],
  ) => {
    different += lines.length;
    silent += looks.filter(({ facts }) => !facts).length;
    console.log(
      `${component}: ${lines.length === 0 ? "as the state says" : `${String(lines.length)} difference(s)`}`,
    );
    for (const line of [...besides, ...lines]) console.log(`  ${line}`);
  };
  for (const pair of expected) {
    const looks = await looksAt(pair, targets);
    told(pair.component, differences(pair, looks, stackId), looks, leftOut(pair));
  }
  for (const pool of expectedPools) {
    const looks = await looksAtPool(pool, targets);
    told(`${pool.pool} at its balancers`, poolDifferences(pool, looks), looks);
  }
  if (marks.length > 0) {
    const looks = await looksAtMarks(marks, targets);
    told("what the hosts have recorded", markDifferences(marks, looks, stackId), looks);
  }
  for (const [name, cache] of Object.entries(caches)) {
    const looks = await looksAtCache(name, cache, targets);
    const lines = looks.flatMap((seen) => cacheDifferences(name, cache, { ...seen, stack: stackId }));
    told(
      name,
      lines,
      looks.map(({ look }) => look),
    );
  }
  for (const [name, upgrade] of Object.entries(upgrades)) {
    const looks = await looksAtUpgrade(name, upgrade, targets);
    told(
      name,
      upgradeDifferences(name, upgrade, looks, (host) => scriptsAt(host, targets)),
      looks,
    );
  }
  if (silent > 0) return 75;
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
