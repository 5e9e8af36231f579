import { system } from "../system.ts";
import type { Seen } from "../system.ts";
import { type Cache, cacheEntry, cacheNames } from "./config.ts";
import type { CacheFacts } from "./decide.ts";
import { cacheExamples } from "./examples.ts";
import { earlierCaches, goneFromCache } from "./leaving.ts";
import { cacheRules, componentsOfCache, hostsOfCache, portsOfCache } from "./rules.ts";
import { cacheSample } from "./sample.ts";
import { cacheDifferences, type CacheExpected, describeCache, looksOfCache } from "./verify.ts";

/** memcached on some hosts, and the ring of them on those that use it. */
export const cache = system<"caches", Cache, CacheExpected>({
  key: "caches",
  noun: "cache",
  members: "Nodes",
  purpose: "Caches of memcached, sharded over their nodes.",
  names: cacheNames,
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
    seen.flatMap((one) => cacheDifferences(name, expected, one as Seen<CacheFacts>)),
  describe: (name, _, seen) => describeCache(name, seen as Seen<CacheFacts>),
  examples: cacheExamples,
  sample: cacheSample,
  exceptions: {
    "host dropped":
      "a client that is dropped keeps its last ring and no node lets it in; nodes are refused unless they were `out`",
  },
  component: async () => (await import("./component.ts")).component,
});
