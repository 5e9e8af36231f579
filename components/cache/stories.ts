import type { Story } from "../../transition/args.ts";
import { setOldValues } from "../../transition/run-book.ts";

/** A node gets its settings, or is removed. */
export const nodeStory = (cache: string, host: string, state: "in" | "out"): Story => ({
  goal: ["state", "port", "memory_mib", "connections", "copySeconds"],
  kind: state,
  wayBack:
    state === "in"
      ? setOldValues
      : `npx pulumi config set --path changeover:caches.${cache}.nodes.${host} in, then npx pulumi up; the node begins empty`,
});

/** Clients get the ring. */
export const ringStory: Story = {
  goal: ["ring", "lost"],
  wayBack: "set the old nodes in the stack file, then run npx pulumi up",
};
