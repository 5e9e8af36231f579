import { entryNames } from "../../config/common-fields.ts";
import type { Look } from "../../transition/decide.ts";
import { system } from "../system.ts";
import { admits, remarks } from "./admits.ts";
import { type StagedUpgrade, upgradeEntry } from "./config.ts";
import { upgradeExamples } from "./examples.ts";
import { earlierUpgrades, goneFromUpgrade } from "./leaving.ts";
import { componentsOfUpgrade, hostsOfUpgrade, upgradeRules, foldersOfUpgrade } from "./rules.ts";
import { ranIn } from "./soak.ts";
import { upgradeSample } from "./sample.ts";
import {
  describeUpgrade,
  looksOfUpgrade,
  upgradeDifferences,
  type UpgradeExpected,
  type UpgradeSeen,
} from "./verify.ts";

/** One package on many hosts, the main database first. */
export const stagedUpgrade = system<"stagedUpgrades", StagedUpgrade, UpgradeExpected>({
  key: "stagedUpgrades",
  noun: "staged upgrade",
  members: "Hosts",
  purpose:
    "Packages that are upgraded on many hosts, the main database first, with a barrier after each phase.",
  names: entryNames,
  platforms: ["local", "inventory"],
  entry: () => upgradeEntry,
  hostsIn: (_, fields) => hostsOfUpgrade(fields),
  componentsOf: componentsOfUpgrade,
  folders: (_, fields) => foldersOfUpgrade(fields),
  opens: () => [],
  rules: upgradeRules,
  gone: goneFromUpgrade,
  earlier: earlierUpgrades,
  admits,
  remarks,
  looks: looksOfUpgrade,
  differences: (name, expected, seen, scripts) =>
    upgradeDifferences(
      name,
      expected,
      seen.map(({ look }) => look as Look<UpgradeSeen>),
      scripts,
    ),
  ended: (name, expected, outputs) => ({ ...expected, ran: ranIn(outputs, name) }),
  describe: (_, __, { look }, elapsed) =>
    describeUpgrade((look as Look<UpgradeSeen>).facts as UpgradeSeen, elapsed),
  examples: upgradeExamples,
  sample: upgradeSample,
  exceptions: {},
  component: async () => (await import("./component.ts")).component,
});
