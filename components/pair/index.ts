import { entryNames } from "../../config/common-fields.ts";
import type { Look } from "../../transition/decide.ts";
import { system } from "../system.ts";
import { remarksOfPair } from "./clients.ts";
import { type Pair, pairEntry } from "./config.ts";
import { describeMachine } from "./describe.ts";
import { pairExamples } from "./examples.ts";
import type { PairFacts } from "./facts.ts";
import { earlierPairs, goneFromPair } from "./leaving.ts";
import { portsOfPair } from "./ports.ts";
import { hostsOfPair, pairRules, foldersOfPair } from "./rules.ts";
import { pairSample } from "./sample.ts";
import { differences, type PairExpected } from "./verify.ts";

/** The default of `database` is the name of the pair. */
const databaseOf = (name: string, { database = name }: { readonly database?: string }) => ({ database });

/** Two machines with a database, a service address, files, indexes and services. */
export const pair = system<"pairs", Pair, PairExpected>({
  key: "pairs",
  noun: "pair",
  members: "Machines",
  purpose: "Pairs of machines: production serves users, the standby has a copy of its data.",
  names: entryNames,
  platforms: ["local", "inventory", "aws"],
  entry: pairEntry,
  complete: (name, entry) => ({ ...entry, ...databaseOf(name, entry) }),
  hostsIn: hostsOfPair,
  componentsOf: (name) => [name],
  addresses: (_, { serviceAddress }) => (serviceAddress === undefined ? [] : [serviceAddress]),
  folders: (_, fields) => foldersOfPair(fields),
  opens: (_, fields) => portsOfPair(fields),
  rules: pairRules,
  gone: (_, before, now) => goneFromPair(before, now),
  earlier: earlierPairs,
  remarks: remarksOfPair,
  looks: (name, { statuses }) =>
    Object.keys(statuses).map((host) => ({ host, probe: "pair/probe", words: [name] })),
  differences: (_, expected, seen) =>
    differences(
      expected,
      seen.map(({ look }) => look as Look<PairFacts>),
    ),
  describe: (_, __, { look }, elapsed) =>
    describeMachine((look as Look<PairFacts>).facts as PairFacts, elapsed),
  examples: pairExamples,
  sample: pairSample,
  exceptions: {},
  component: async () => (await import("./component.ts")).component,
});
