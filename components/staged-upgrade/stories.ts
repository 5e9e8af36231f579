import type { Story } from "../../transition/args.ts";
import { setOldValues } from "../../transition/run-book.ts";

/** A host gets the upgrade's settings. */
export const hostStory: Story = {
  goal: ["software", "conf.role"],
  wayBack: setOldValues,
};

/** All hosts get one version. @param back the backup that the stack file accepts to go back to; empty: none. */
export const upgradeStory = (upgrade: string, back: string): Story => ({
  goal: ["version", "package", "main"],
  kind: back === "" ? "forward" : "back",
  wayBack: `set version of changeover:stagedUpgrades.${upgrade} back, then run npx pulumi up; after reconfigure-main also acceptDataLoss with the backup that the refusal names`,
  ...(back === "" ? {} : { needs: [`what users wrote since the backup ${back} is given up`] }),
});
