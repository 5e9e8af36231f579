import {
  type Check,
  decideEach,
  type Decision,
  type Look,
  type RecordFacts,
  type Wanted,
} from "../../../transition/decide.ts";

/** What of a node's facts a snapshot depends on. */
interface SnapshotFacts extends RecordFacts {
  readonly node: { readonly manager: string | null } | null;
  readonly health: { readonly status: string } | null;
}

const checks: readonly Check<SnapshotFacts, Wanted>[] = [
  ({ node }) =>
    (node?.manager ?? null) === null &&
    `${node ? "sees no manager" : "gives no answer as a node"}; see docs/runbook.md, "a search node sees no manager"`,
  ({ health }) =>
    health?.status === "red" &&
    'sees a red cluster, and a snapshot would lack an index; see docs/runbook.md, "the search cluster is red"',
];

/** Whether a snapshot may be taken. */
export const decideSnapshot = (looks: readonly Look<SnapshotFacts>[], wanted: Wanted): Decision =>
  decideEach(looks, wanted, checks);

/** A snapshot of this program: a roll that took it goes on with it. */
export const isOwnSnapshot = (cluster: string, words: string): boolean =>
  words.startsWith(`snapshot changeover-${cluster}-`);

/** An index that a rehearsal made; what a dead one left goes away by itself. */
export const isRehearsed = (index: string): boolean => index.startsWith("changeover-rehearsal-");
