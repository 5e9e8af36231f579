import { z } from "zod";
import { folder } from "../../../config/common-fields.ts";
import { field, listOf, text, wholeNumber } from "../../../config/fields.ts";

/** Kinds of roll that a snapshot may come before. */
export const rollKinds = ["version", "settings"] as const;

/** Snapshots of one cluster; an entry without this key takes none. */
export const snapshotFields = z.strictObject({
  location: folder(
    "Folder of the snapshots, the same one on all nodes: a mounted shared volume, or a local folder of a single node.",
  ),
  keep: wholeNumber(1, 1000, "How many good snapshots of this program stay.").default(14),
  maxAgeMinutes: wholeNumber(
    1,
    525600,
    "Before a roll of `before` another snapshot is taken when the newest good one is older (minutes).",
  ).default(60),
  before: listOf(
    field(z.enum(rollKinds), "version or settings", "A kind of roll."),
    "Rolls that begin with a young snapshot. Empty: none.",
  ).default(["version"]),
  trial: field(
    z.boolean(),
    "true or false",
    "true: a snapshot is restored into scratch indexes and compared, before another version and after each `now`.",
  ).default(true),
  now: text(
    /^[^\p{Cc}"'\\]{1,80}$/u,
    "at most 80 characters without quotes, such as 2026-11-30 before the import",
    "Another text takes one snapshot.",
  ).optional(),
});

/** Snapshots of a cluster after their checks. */
export type Snapshots = Readonly<z.output<typeof snapshotFields>>;
