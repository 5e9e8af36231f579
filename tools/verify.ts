import { execFileSync } from "node:child_process";
import type { Look } from "../components/pair-decide.ts";
import { type ExportedEntry, unfinished } from "../components/open.ts";
import { differences, type PairExpected } from "../components/pair-verify.ts";
import { probeOf } from "../components/start.ts";
import type { SshTarget } from "../platforms/platform.ts";
import { lookAt } from "./look.ts";
import { pulumiEnvironment, toolchain } from "./setup/toolchain.ts";

const help = `Look at all hosts of a stack, read-only, and compare them with its state.

Usage: npm run verify -- [--settled] [--stack NAME] [--cwd FOLDER]

  --settled   only whether every transition in the state has ended; dials nothing. For CI, before a change
              that renames, aliases or moves a component, which would break a state with an open one

Any other flag is handed to \`pulumi stack\`. Ends with 0 when all is as the state
says, 77 when something differs (a line each), 75 when a host did not answer.`;

interface Outputs {
  readonly stackId: string;
  readonly expected: readonly PairExpected[];
  readonly targets: Readonly<Record<string, { ssh: SshTarget; release: string; unreachable: boolean }>>;
}

interface Exported {
  readonly deployment: { readonly resources?: ExportedEntry[]; readonly pending_operations?: unknown[] };
}

function pulumi(...args: readonly string[]): unknown {
  const text = execFileSync(toolchain().pulumi, ["stack", ...args], {
    env: pulumiEnvironment(),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1024 * 1024 * 1024,
  });
  return JSON.parse(text);
}

/** What the state itself says to be unfinished. */
function settled(args: readonly string[]): number {
  const { resources, pending_operations: pending } = (pulumi("export", ...args) as Exported).deployment;
  const lines = unfinished(resources ?? [], pending);
  console.log(lines.length === 0 ? "every transition in the state has ended" : lines.join("\n"));
  return lines.length === 0 ? 0 : 77;
}

function outputsOf(args: readonly string[]): Outputs {
  const outputs = pulumi("output", "--json", ...args) as Partial<Outputs>;
  if (!outputs.stackId || !outputs.expected || !outputs.targets) {
    throw new Error("the stack has no outputs yet; run npx pulumi up first");
  }
  return outputs as Outputs;
}

async function verify(args: readonly string[]): Promise<number> {
  const { stackId, expected, targets } = outputsOf(args);
  let [different, silent] = [0, 0];
  for (const pair of expected) {
    const looks = await Promise.all(
      Object.keys(pair.statuses).map(async (host): Promise<Look> => {
        const target = targets[host];
        if (!target || target.unreachable)
          return { host, failure: "is in changeover:unreachable, nobody asked it" };
        const command = probeOf(target.ssh, target.release, pair.component);
        return lookAt({ host, target: target.ssh, command });
      }),
    );
    const lines = differences(pair, looks, stackId);
    different += lines.length;
    silent += looks.filter(({ facts }) => !facts).length;
    console.log(
      `${pair.component}: ${lines.length === 0 ? "as the state says" : `${String(lines.length)} difference(s)`}`,
    );
    for (const line of lines) console.log(`  ${line}`);
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
