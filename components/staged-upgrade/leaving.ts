import { type Problem, shown } from "../../config/problems.ts";
import type { Gone } from "../system.ts";
import type { StagedUpgrade } from "./config.ts";
import type { UpgradeExpected } from "./verify.ts";

/** Hosts that left an upgrade, and a main host that the file names where the data is on another one. */
export function goneFromUpgrade(
  name: string,
  { hosts = [], main }: Partial<UpgradeExpected>,
  now: StagedUpgrade | undefined,
): (Gone | Problem)[] {
  const gone = hosts
    .filter((host) => !Object.hasOwn(now?.hosts ?? {}, host))
    .map((host): Gone => ({ host, by: "absent" }));
  if (!now || main === undefined || main === now.main) return gone;
  return [
    ...gone,
    {
      path: ["stagedUpgrades", name, "main"],
      text: `${shown(now.main)}, but the main database is on ${main}, and no upgrade moves one; allowed: ${main}, which may be a new machine under that name, with the data on it`,
    },
  ];
}

/** The upgrades in the outputs of the release before this one; still older ones do not say who their hosts are. */
export const earlierUpgrades = (outputs: unknown): Readonly<Record<string, UpgradeExpected>> =>
  (outputs as { readonly upgrades?: Readonly<Record<string, UpgradeExpected>> }).upgrades ?? {};
