import type { Story } from "../../../transition/args.ts";
import type { SearchIndex } from "./config.ts";

/** Programs get another version of an index. @param before the version that they had at the last update. */
export const indexStory = (
  cluster: string,
  alias: string,
  { how, versions, version }: SearchIndex,
  before: string | undefined,
): Story => ({
  goal: ["alias", "version", "how", "from"],
  kind: how,
  needs: [`${versions[version]?.body ?? ""} on the machine that runs npx pulumi up`],
  wayBack:
    how === "update"
      ? "none in place: the index has the new fields; an older body needs another version and `how: reindex`"
      : before === undefined || before === version
        ? "none is needed: nothing is deleted that an alias names"
        : `npx pulumi config set --path 'changeover:searchClusters.${cluster}.indexes["${alias}"].version' ${before}, then npx pulumi up; changes made meanwhile go back too`,
});
