import { type Decision, decideEach, type Wanted } from "../../../transition/decide.ts";
import type { Look, SearchFacts } from "../decide.ts";

export interface IndexWanted extends Wanted {
  readonly alias: string;
}

/** Whether an index may become another version: the node that is asked is in a cluster without a missing primary. */
export const decideIndex = (looks: readonly Look[], wanted: IndexWanted): Decision =>
  decideEach<SearchFacts, IndexWanted>(looks, wanted, [
    ({ node }) =>
      (node?.manager ?? null) === null &&
      'sees no manager; see docs/runbook.md, "a search node sees no manager"',
    ({ health }) =>
      health?.status === "red" &&
      'is in a cluster that is red: a primary is missing; see docs/runbook.md, "the search cluster is red"',
  ]);
