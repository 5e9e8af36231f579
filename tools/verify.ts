import { execFileSync } from "node:child_process";
import type { Look } from "../components/pair-decide.ts";
import { differences, type PairExpected } from "../components/pair-verify.ts";
import { probeOf } from "../components/start.ts";
import type { SshTarget } from "../platforms/platform.ts";
import { lookAt } from "./look.ts";
import { pulumiEnvironment, toolchain } from "./setup/toolchain.ts";

const help = `Look at all hosts of a stack, read-only, and compare them with its state.

Usage: npm run verify -- [--stack NAME] [--cwd FOLDER]

Any flag is handed to \`pulumi stack output\`. Ends with 0 when all is as the state
says, 77 when something differs (a line each), 75 when a host did not answer.`;

interface Outputs {
  readonly stackId: string;
  readonly expected: readonly PairExpected[];
  readonly targets: Readonly<Record<string, { ssh: SshTarget; release: string; unreachable: boolean }>>;
}

function outputsOf(args: readonly string[]): Outputs {
  const text = execFileSync(toolchain().pulumi, ["stack", "output", "--json", ...args], {
    env: pulumiEnvironment(),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const outputs = JSON.parse(text) as Partial<Outputs>;
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
    process.exitCode = await verify(args);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
