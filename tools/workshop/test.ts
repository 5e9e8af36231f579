import { execFileSync } from "node:child_process";
import { checkAll, describeCheck } from "./check/checks.ts";
import { root } from "../../config/places.ts";
import { interruption, runSuite, suites } from "./test/suites.ts";
import { add, nothing, summary, type Tally } from "./test/tally.ts";

const names = suites.map(({ name }) => name);
const usual = suites.filter(({ apart }) => !apart);

const help = `Run the checks and the tests.

Usage: npm test                              all but night: checks, ${usual.map(({ name }) => name).join(", ")}
       npm run test:SUITE [-- ARGUMENT…]     one suite; arguments are vitest's: a file, -t NAME
       npm run test:night                    what takes longer: pools, gluster, memcached, what pairs carry, refusals, what is stopped half-way

  Ends with a line "N passed, N failed", and ", N skipped" when some were.
`;

/** Do one part under a header with its time. */
async function part(title: string, does: () => Promise<Tally>): Promise<Tally> {
  console.log(`\n== ${title}`);
  const started = performance.now();
  const tally = await does();
  console.log(`== ${title}: ${summary(tally)} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return tally;
}

async function checks(): Promise<Tally> {
  const done = await checkAll((checked) => console.log(describeCheck(checked)));
  const failed = done.filter(({ passed }) => !passed).length;
  return { ...nothing, passed: done.length - failed, failed };
}

/** What git says is changed here; undefined outside a git work tree. */
function changes(): string | undefined {
  try {
    return execFileSync("git", ["status", "--porcelain", "--untracked-files=all"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return undefined;
  }
}

/** The tests leave the checkout as they found it. */
function untouched(before: string | undefined): Promise<Tally> {
  const after = changes();
  if (before === undefined || after === undefined) {
    console.log("skipped: this is no git work tree");
    return Promise.resolve({ ...nothing, skipped: 1 });
  }
  if (before === after) return Promise.resolve({ ...nothing, passed: 1 });
  const old = new Set(before.split("\n"));
  const added = after.split("\n").filter((line) => !old.has(line));
  console.log(`FAILED  the run changed the checkout:\n${added.join("\n")}`);
  return Promise.resolve({ ...nothing, failed: 1 });
}

async function all(): Promise<Tally> {
  const before = changes();
  const parts = [await part("checks", checks)];
  for (const suite of usual) {
    parts.push(await part(suite.name, () => runSuite(suite, [])));
    if (interruption.signal.aborted) return add(...parts);
  }
  parts.push(await part("clean checkout", () => untouched(before)));
  return add(...parts);
}

async function main([name, ...more]: readonly string[]): Promise<Tally> {
  if (name === undefined) return all();
  const suite = suites.find((one) => one.name === name);
  if (suite) return part(name, () => runSuite(suite, more));
  console.error(`there is no suite ${name}; there are ${names.join(", ")}`);
  process.exit(64);
}

const args = process.argv.slice(2);
if (args[0] === "--help" || args[0] === "-h") {
  console.log(help);
} else {
  const tally = await main(args);
  console.log(summary(tally));
  process.exitCode = tally.failed > 0 ? 1 : 0;
}
