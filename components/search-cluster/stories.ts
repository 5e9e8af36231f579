import type { Story } from "../../transition/args.ts";
import { setOldValues } from "../../transition/run-book.ts";

const archive = (path: string): readonly string[] =>
  path === "" || /^https?:/.test(path) ? [] : [`${path} on the machine that runs npx pulumi up`];

/** Hosts get the version and the settings; nothing starts. */
export const hostStory = (path: string): Story => ({
  goal: ["version", "conf.set.*", "conf.heap_mib", "conf.repo", "conf.clients"],
  wayBack: `${setOldValues}; nothing was restarted`,
  needs: archive(path),
});

/** The cluster is formed. */
export const formStory: Story = {
  goal: ["cluster"],
  wayBack: "none is needed: the cluster holds no data yet",
};

/** A node enters, is drained, or leaves. */
export const memberStory = (cluster: string, host: string, state: string): Story => ({
  goal: ["state", "zone", "roles"],
  kind: state,
  wayBack: `npx pulumi config set --path changeover:searchClusters.${cluster}.nodes.${host}.is ${state === "in" ? "drained" : "in"}, then npx pulumi up`,
});

/** A drain is looked at, and pushed. */
export const progressStory = (cluster: string, host: string): Story => ({
  goal: ["node"],
  wayBack: `npx pulumi config set --path changeover:searchClusters.${cluster}.nodes.${host}.is in, then npx pulumi up`,
});

/** Nodes restart one after the other. */
export const rollStory = (upgrades: boolean): Story => ({
  goal: ["version", "set.*", "heap_mib", "repo", "bounce"],
  kind: upgrades ? "version" : "bounce",
  wayBack: upgrades
    ? "none to the older version once the first node runs the newer one: restore a snapshot in another cluster"
    : setOldValues,
});
