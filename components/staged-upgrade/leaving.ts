import { type Problem, shown } from "../../config/problems.ts";
import type { Gone } from "../system.ts";
import type { StagedUpgrade } from "./config.ts";
import type { UpgradeExpected } from "./verify.ts";

/** Hosts that left an upgrade, and a changed main host, whose data is on the old one. */
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
      text: `${shown(now.main)}, but the main database is on ${main}, and an upgrade can't move it; allowed: ${main}, also as a new machine with that name and the data`,
    },
  ];
}

/** The upgrades in the outputs of the previous release; older outputs do not name their hosts. */
export const earlierUpgrades = (outputs: unknown): Readonly<Record<string, UpgradeExpected>> =>
  (outputs as { readonly upgrades?: Readonly<Record<string, UpgradeExpected>> }).upgrades ?? {};
