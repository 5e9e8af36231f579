import { z } from "zod";
import { field, mapOf, type Names, text, wholeNumber } from "../../../config/fields.ts";

/** Aliases: programs use them, and records on hosts stand under them. */
export const aliasNames: Names = {
  pattern: /^[a-z][a-z0-9_-]{0,62}$/,
  allowed: "at most 63 lower-case letters, digits, underscores and hyphens, beginning with a letter",
};

/** Versions become parts of the names of indexes. */
export const indexVersions: Names = {
  pattern: /^[a-z0-9][a-z0-9._-]{0,30}$/,
  allowed: "at most 31 lower-case letters, digits, dots, underscores and hyphens",
};

const index = z.strictObject({
  version: text(
    indexVersions.pattern,
    indexVersions.allowed,
    "The version that programs get, one of `versions`. Another one is a copy under other rules, and a swap of the alias.",
  ),
  versions: mapOf(
    indexVersions,
    z.strictObject({
      body: text(
        /^((?!-)[\w.-][\w./-]*|\/[\w./-]+)\.json$/,
        "a .json file: a path from the project's folder",
        "Settings and mappings, as the engine takes them when it makes an index.",
      ),
    }),
    "Bodies by version. The body of a version that has served stays as it is.",
  ),
  how: field(
    z.enum(["reindex", "update", "import"]),
    "reindex, update or import",
    "reindex: a new index, all documents copied, the alias swapped. update: new fields on the index that is there, every document indexed anew. import: a new index from another cluster.",
  ).default("reindex"),
  from: text(
    /^http:\/\/[A-Za-z0-9.-]+:\d{1,5}\/[a-z0-9.][a-z0-9._-]{0,254}$/,
    "http://host:port/index",
    "The index of another cluster that an import reads.",
  ).optional(),
  maxBlockSeconds: wholeNumber(
    1,
    75,
    "How long a swap may refuse writes (seconds). What is not done by then is given up, and the next update goes on.",
  ).default(30),
  keepOld: wholeNumber(0, 20, "How many old indexes stay as the way back.").default(1),
  docsPerSecond: wholeNumber(
    0,
    1000000,
    "Limit of a copy (documents a second). 0: as fast as the cluster can.",
  ).default(0),
});

/** Indexes of a cluster, by alias. */
export const indexFields = mapOf(
  aliasNames,
  index,
  "Indexes by the alias that programs use. Each is ALIAS-vVERSION.",
).default({});

/** One index after its checks. */
export type SearchIndex = Readonly<z.output<typeof index>>;
