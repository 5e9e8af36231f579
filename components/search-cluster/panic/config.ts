import { z } from "zod";
import { hostNames, unit } from "../../../config/common-fields.ts";
import { listOf, mapOf, type Names, text, wholeNumber } from "../../../config/fields.ts";

const reasonText = "at most 80 characters without quotes, such as 2026-11-30 imports are stuck";
const reason = (purpose: string) => text(/^[^\p{Cc}"'\\]{1,80}$/u, reasonText, purpose);

/** Names of rules of retention: with the cluster's they name records on hosts. */
export const ruleNames: Names = {
  pattern: /^[a-z][a-z0-9]{0,30}$/,
  allowed: "at most 31 lower-case letters and digits, beginning with a letter",
};

/** A unit that writes: a service, or what starts it. */
const writerUnit = unit(
  /^[A-Za-z0-9][A-Za-z0-9_@.-]{0,100}\.(service|timer|socket|path)$/,
  "a unit with its kind, such as indexer.service or import.timer",
  "A systemd unit.",
);

const rule = z.strictObject({
  index: text(
    /^[a-z0-9][a-z0-9._-]{0,200}\*?$/,
    "the name of an index, or the begin of names and a *",
    "The index, or those whose names begin so. Indexes whose name begins with a dot are never meant.",
  ),
  field: text(
    /^[A-Za-z_@][A-Za-z0-9_.@-]{0,120}$/,
    "the name of a date field",
    "A field with a date: documents older than `olderThanDays` match.",
  ).optional(),
  olderThanDays: wholeNumber(1, 36500, "How old a document is that matches (days).").optional(),
  query: text(
    /^((?!-)[\w.-][\w./-]*|\/[\w./-]+)\.json$/,
    "the path of a .json file, from the project's folder",
    "A file with a query of the engine, such as one by project; instead of `field`.",
  ).optional(),
  limit: wholeNumber(
    1,
    2_000_000_000,
    "At most so many documents match; more are refused before any is deleted.",
  ),
  withoutSnapshot: reason(
    "Why no snapshot of the last hour is needed: nothing brings the documents back.",
  ).optional(),
  now: reason("Another text deletes what matches, once. Left out: the rule only stands here.").optional(),
});

/** What is done when a cluster is in trouble; all of it is left out of a file that needs none of it. */
export const panicFields = {
  writers: mapOf(
    hostNames,
    listOf(writerUnit, "Units that write to the cluster, in the order in which they start again."),
    "Hosts with programs that write to the cluster: what `paused` and `rescue` stop, and start again.",
  ).default({}),
  paused: reason(
    "Why nothing may be written now. The writers that run are stopped until this line is taken away; no timer lifts it.",
  ).optional(),
  rescue: reason(
    "Another text rescues the cluster once: writers stop, nodes that are not in start one at a time, writers start.",
  ).optional(),
  queries: z
    .strictObject({
      slowSeconds: wholeNumber(1, 86400, "A search that runs longer is slow (seconds).").default(30),
      cancel: reason(
        "Another text cancels the slow searches once. Writes and recoveries are never touched.",
      ).optional(),
    })
    .meta({ description: "Searches that run for long." })
    .optional(),
  retention: mapOf(
    ruleNames,
    rule,
    "Rules by which old data is deleted, each time that its `now` says so.",
  ).default({}),
};

/** A rule of retention after its checks. */
export type RetentionRule = Readonly<z.output<typeof rule>>;
