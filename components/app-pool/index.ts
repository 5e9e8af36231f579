import { entryNames } from "../../config/common-fields.ts";
import { type Seen, system } from "../system.ts";
import { type AppPool, poolEntry } from "./config.ts";
import type { PoolFacts } from "./decide.ts";
import { poolExamples } from "./examples.ts";
import { earlierPools, goneFromPool } from "./leaving.ts";
import { componentsOfPool, hostsOfPool, poolRules, portsOfPool, foldersOfPool } from "./rules.ts";
import { poolSample } from "./sample.ts";
import { describeInPool, differencesOfPool, looksOfPool, type PoolExpected } from "./verify.ts";

/** Application servers behind HAProxy. */
export const appPool = system<"appPools", AppPool, PoolExpected>({
  key: "appPools",
  noun: "pool",
  members: "Balancers and servers",
  purpose: "Pools of application servers behind HAProxy.",
  names: entryNames,
  platforms: ["local", "inventory"],
  entry: () => poolEntry,
  hostsIn: (_, fields) => hostsOfPool(fields),
  componentsOf: componentsOfPool,
  folders: foldersOfPool,
  opens: (_, fields) => portsOfPool(fields),
  rules: poolRules,
  gone: goneFromPool,
  earlier: earlierPools,
  looks: looksOfPool,
  differences: (_, expected, seen) => differencesOfPool(expected, seen as readonly Seen<PoolFacts>[]),
  describe: (_, expected, seen) => describeInPool(expected, seen as Seen<PoolFacts>),
  examples: poolExamples,
  sample: poolSample,
  exceptions: {},
  component: async () => (await import("./component.ts")).component,
});
