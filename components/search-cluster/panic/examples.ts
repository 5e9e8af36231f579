import type { Example } from "../../system.ts";
import type { TableArgs } from "../table.ts";
import { cancelTable, deleteTable, pauseTable, rescueTable, resumeTable } from "./table.ts";

/** The transitions of a cluster in trouble, as the documents show them. */
export const panicExamples = (args: TableArgs): Readonly<Record<string, Example>> => ({
  "search-pause": { title: "Search cluster: nothing is written", table: pauseTable(args) },
  "search-resume": { title: "Search cluster: programs write again", table: resumeTable(args) },
  "search-rescue": {
    title: "Search cluster: rescue",
    table: rescueTable({ ...args, order: ["frontend", "es1", "es3"], writers: true }),
  },
  "search-cancel": { title: "Search cluster: slow searches are cancelled", table: cancelTable(args) },
  "search-delete": { title: "Search cluster: old documents are deleted", table: deleteTable(args) },
});
