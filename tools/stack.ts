import { execFileSync } from "node:child_process";
import type { Look } from "../components/pair-decide.ts";
import { looksWanted, type CacheExpected } from "../components/cache-verify.ts";
import type { Look as CacheLook } from "../components/cache-decide.ts";
import type { PairExpected } from "../components/pair-verify.ts";
import { cacheProbeOf, probeOf } from "../components/start.ts";
import type { SshTarget } from "../platforms/platform.ts";
import { lookAt } from "./look.ts";
import { pulumiEnvironment, toolchain } from "./setup/toolchain.ts";

/** What a stack says of itself in its outputs, as far as the tools read it. */
export interface StackOutputs {
  readonly stackId: string;
  readonly expected: readonly PairExpected[];
  /** Undefined in the outputs of an older release. */
  readonly caches?: Readonly<Record<string, CacheExpected>>;
  readonly targets: Readonly<Record<string, { ssh: SshTarget; release: string; unreachable: boolean }>>;
}

/** Output of `pulumi stack …`. */
export function pulumiStack(...args: readonly string[]): string {
  return execFileSync(toolchain().pulumi, ["stack", ...args], {
    env: pulumiEnvironment(),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1024 * 1024 * 1024,
  });
}

/** @throws when the stack was never updated. */
export function outputsOf(args: readonly string[]): StackOutputs {
  const outputs = JSON.parse(pulumiStack("output", "--json", ...args)) as Partial<StackOutputs>;
  if (!outputs.stackId || !outputs.expected || !outputs.targets) {
    throw new Error("the stack has no outputs yet; run npx pulumi up first");
  }
  return outputs as StackOutputs;
}

const notAsked = "is in changeover:unreachable or changeover:suspect, nobody asked it";

/** Look at both machines of a pair, read-only and side by side. */
export function looksAt(pair: PairExpected, targets: StackOutputs["targets"]): Promise<Look[]> {
  return Promise.all(
    Object.keys(pair.statuses).map(async (host): Promise<Look> => {
      const target = targets[host];
      if (!target || target.unreachable) return { host, failure: notAsked };
      const command = probeOf(target.ssh, target.release, pair.component);
      return lookAt({ host, target: target.ssh, command });
    }),
  );
}

/** Look at the nodes and the clients of a cache, read-only and side by side. */
export function looksAtCache(
  name: string,
  cache: CacheExpected,
  targets: StackOutputs["targets"],
): Promise<{ readonly component: string; readonly look: CacheLook }[]> {
  return Promise.all(
    looksWanted(name, cache).map(async ({ host, component, words }) => {
      const target = targets[host];
      if (!target || target.unreachable) return { component, look: { host, failure: notAsked } };
      const command = cacheProbeOf(target.ssh, target.release, [component, ...words]);
      return { component, look: await lookAt({ host, target: target.ssh, command }) };
    }),
  );
}
