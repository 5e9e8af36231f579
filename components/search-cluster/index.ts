import { entryNames } from "../../config/common-fields.ts";
import { type Seen, system } from "../system.ts";
import { searchEntry, type SearchCluster } from "./config.ts";
import type { SearchFacts } from "./decide.ts";
import { searchExamples } from "./examples.ts";
import { earlierSearch, goneFromSearch } from "./leaving.ts";
import { remarksOfSearch } from "./panic/verify.ts";
import { componentsOfSearch, foldersOfSearch, hostsOfSearch, portsOfSearch, searchRules } from "./rules.ts";
import { searchSample } from "./sample.ts";
import { describeSearch, looksOfSearch, searchDifferences, type SearchExpected } from "./verify.ts";

/** OpenSearch or Elasticsearch on some hosts, in zones that stay and zones that may vanish. */
export const searchCluster = system<"searchClusters", SearchCluster, SearchExpected>({
  key: "searchClusters",
  noun: "search cluster",
  members: "Nodes",
  purpose: "Search clusters (OpenSearch, Elasticsearch), in zones that may vanish.",
  names: entryNames,
  platforms: ["local", "inventory", "aws"],
  entry: () => searchEntry,
  hostsIn: hostsOfSearch,
  componentsOf: componentsOfSearch,
  folders: foldersOfSearch,
  opens: (_, fields) => portsOfSearch(fields),
  rules: searchRules,
  gone: goneFromSearch,
  earlier: earlierSearch,
  remarks: remarksOfSearch,
  looks: looksOfSearch,
  differences: (name, expected, seen) =>
    searchDifferences(name, expected, seen as readonly Seen<SearchFacts>[]),
  describe: (name, expected, seen) => describeSearch(name, seen as Seen<SearchFacts>, expected),
  examples: searchExamples,
  sample: searchSample,
  exceptions: {},
  component: async () => (await import("./component.ts")).component,
});
