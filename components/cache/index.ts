import { entryNames } from "../../config/common-fields.ts";
import { system } from "../system.ts";
import type { Seen } from "../system.ts";
import { type Cache, cacheEntry } from "./config.ts";
import type { CacheFacts } from "./decide.ts";
import { cacheExamples } from "./examples.ts";
import { earlierCaches, goneFromCache } from "./leaving.ts";
import { cacheRules, componentsOfCache, hostsOfCache, portsOfCache } from "./rules.ts";
import { cacheSample } from "./sample.ts";
import { cacheDifferences, type CacheExpected, describeCache, looksOfCache } from "./verify.ts";

/** memcached on some hosts, and their ring on the hosts that use them. */
export const cache = system<"caches", Cache, CacheExpected>({
  key: "caches",
  noun: "cache",
  members: "Nodes",
  purpose: "Caches (memcached), sharded over their nodes.",
  names: entryNames,
  platforms: ["local", "inventory", "aws"],
  entry: () => cacheEntry,
  hostsIn: hostsOfCache,
  componentsOf: componentsOfCache,
  opens: (_, fields) => portsOfCache(fields),
  rules: cacheRules,
  gone: goneFromCache,
  earlier: earlierCaches,
  looks: looksOfCache,
  differences: (name, expected, seen) =>
    seen.flatMap((look) => cacheDifferences(name, expected, look as Seen<CacheFacts>)),
  describe: (name, _, seen) => describeCache(name, seen as Seen<CacheFacts>),
  examples: cacheExamples,
  sample: cacheSample,
  exceptions: {
    "host dropped":
      "a dropped client keeps its last ring, and every node rejects it; a node may be dropped only after `out`",
  },
  component: async () => (await import("./component.ts")).component,
});
