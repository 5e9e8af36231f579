import type { Story } from "../../../transition/args.ts";

const unset = (cluster: string, key: string): string =>
  `npx pulumi config rm --path changeover:searchClusters.${cluster}.${key}, then npx pulumi up`;

/** Writers are stopped, or run again. */
export const pauseStory = (cluster: string, paused: boolean): Story => ({
  goal: ["state", "reason", "units.*"],
  kind: paused ? "paused" : "running",
  wayBack: paused
    ? `${unset(cluster, "paused")}: what ran before starts again`
    : `npx pulumi config set --path changeover:searchClusters.${cluster}.paused "<reason>", then npx pulumi up`,
});

/** The cluster is brought up. */
export const rescueStory: Story = {
  goal: ["rescue"],
  wayBack: "none is needed: nodes are started, settings are put back as found, no data is deleted",
};

/** Slow searches end. */
export const cancelStory: Story = {
  goal: ["cancel", "slow_seconds"],
  wayBack: "none: a program whose search was cancelled gets an error, and may ask again",
};

/** Old documents go. */
export const deleteStory: Story = {
  goal: ["now", "index", "field", "days", "limit"],
  wayBack: "restore the index from the snapshot that the count names, under another name",
};
