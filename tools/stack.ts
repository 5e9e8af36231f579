import { execFileSync } from "node:child_process";
import type { Look, PairFacts } from "../components/pair/decide.ts";
import type { BalancerFacts } from "../components/app-pool/decide.ts";
import type { PoolExpected } from "../components/app-pool/verify.ts";
import type { Look as LookOf } from "../transition/decide.ts";
import type { Mark, MarkFacts } from "../transition/marks.ts";
import { lookOf, scriptsOn } from "../transition/start.ts";
import type {
  Look as UpgradeLook,
  UpgradeExpected,
  UpgradeSeen,
} from "../components/staged-upgrade/verify.ts";
import { looksWanted, type CacheExpected } from "../components/cache/verify.ts";
import type { CacheFacts, Look as CacheLook } from "../components/cache/decide.ts";
import type { PairExpected } from "../components/pair/verify.ts";
import type { SshTarget } from "../platforms/platform.ts";
import { lookAt } from "../transition/run/probe.ts";
import { pulumiEnvironment, toolchain } from "./workshop/setup/toolchain.ts";

/** What a stack says of itself in its outputs, as far as the tools read it. */
export interface StackOutputs {
  readonly stackId: string;
  readonly expected: readonly PairExpected[];
  readonly marks?: readonly Mark[];
  readonly expectedPools?: readonly PoolExpected[];
  /** Undefined in the outputs of an older release. */
  readonly caches?: Readonly<Record<string, CacheExpected>>;
  readonly upgrades?: Readonly<Record<string, UpgradeExpected>>;
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

/** Ask a host of the stack something read-only. */
function ask<Facts extends { readonly now_ms: number }>(
  host: string,
  targets: StackOutputs["targets"],
  probe: string,
  words: readonly string[],
): Promise<LookOf<Facts>> {
  const target = targets[host];
  if (!target || target.unreachable) return Promise.resolve({ host, failure: notAsked });
  return lookAt<Facts>({
    host,
    target: target.ssh,
    command: lookOf(target.ssh, target.release, probe, words),
  });
}

/** Look at both machines of a pair, read-only and side by side. */
export function looksAt(pair: PairExpected, targets: StackOutputs["targets"]): Promise<Look[]> {
  const hosts = Object.keys(pair.statuses);
  return Promise.all(hosts.map((host) => ask<PairFacts>(host, targets, "pair/probe", [pair.component])));
}

/** What each host of the marks has recorded; one look a host. */
export function looksAtMarks(
  marks: readonly Mark[],
  targets: StackOutputs["targets"],
): Promise<LookOf<MarkFacts>[]> {
  const hosts = [...new Set(marks.map(({ host }) => host))];
  const components = (host: string) => [
    ...new Set(marks.filter((mark) => mark.host === host).map(({ component }) => component)),
  ];
  return Promise.all(hosts.map((host) => ask<MarkFacts>(host, targets, "marks", components(host))));
}

/** What each balancer of a pool serves by. */
export function looksAtPool(
  { pool, balancers }: PoolExpected,
  targets: StackOutputs["targets"],
): Promise<LookOf<BalancerFacts>[]> {
  const words = [`${pool}-release`, pool];
  return Promise.all(balancers.map((host) => ask<BalancerFacts>(host, targets, "haproxy/probe", words)));
}

/** Look at the nodes and the clients of a cache, read-only and side by side. */
export function looksAtCache(
  name: string,
  cache: CacheExpected,
  targets: StackOutputs["targets"],
): Promise<{ readonly component: string; readonly look: CacheLook }[]> {
  return Promise.all(
    looksWanted(name, cache).map(async ({ host, component, words }) => ({
      component,
      look: await ask<CacheFacts>(host, targets, "memcached/probe", [component, ...words]),
    })),
  );
}

/** What each host of a staged upgrade says of the software. */
export function looksAtUpgrade(
  name: string,
  { hosts }: UpgradeExpected,
  targets: StackOutputs["targets"],
): Promise<UpgradeLook[]> {
  return Promise.all(hosts.map((host) => ask<UpgradeSeen>(host, targets, "upgrade/probe", [name, name])));
}

/** Where the scripts of the last update are on a host. */
export const scriptsAt = (host: string, targets: StackOutputs["targets"]): string => {
  const target = targets[host];
  return target ? scriptsOn(target.ssh, target.release) : "scripts";
};
