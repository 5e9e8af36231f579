import type { Story } from "../../transition/args.ts";
import { setOldValues } from "../../transition/run-book.ts";

/** What people read of a volume's transitions, by kind. */
export const volumeStories: Readonly<Record<"host" | "bricks" | "mount", Story>> = {
  host: { goal: ["role"], wayBack: "none is needed: GlusterFS is installed, and nothing uses it yet" },
  bricks: {
    goal: ["data.*", "arbiter.*", "option.*"],
    wayBack: `${setOldValues}; a brick that returns is healed from the others`,
  },
  mount: {
    goal: ["path", "replaces", "copies"],
    wayBack: `${setOldValues}; the replaced folder is kept beside it`,
  },
};
