import type { Example } from "../system.ts";
import { rowsBeforeRoll, snapshotTable } from "./snapshots/table.ts";
import { panicExamples } from "./panic/examples.ts";
import { indexTable } from "./indexes/table.ts";
import {
  drainTable,
  enterTable,
  formTable,
  hostTable,
  leaveTable,
  progressTable,
  rollTable,
  type TableArgs,
} from "./table.ts";

const args: TableArgs = { cluster: "catalogue", stop: 60, start: 120, cover: 1800 };

const snapshots = { keep: 14, maxAgeMinutes: 60, before: ["version" as const], trial: true };
const index = {
  cluster: "catalogue",
  alias: "pages",
  how: "reindex",
  maxBlockSeconds: 30,
  keepOld: 1,
  docsPerSecond: 0,
} as const;

/** The transitions of a search cluster, as the documents show them. */
export const searchExamples: Readonly<Record<string, Example>> = {
  "search-host": { title: "Search cluster: make the hosts ready (all nodes)", table: hostTable(args) },
  "search-form": { title: "Search cluster: form the cluster (once)", table: formTable(args) },
  "search-enter": { title: "Search cluster: a node enters", table: enterTable(args) },
  "search-drain": { title: "Search cluster: a node is drained", table: drainTable(args) },
  "search-progress": { title: "Search cluster: how far a drain is", table: progressTable(args) },
  "search-leave": {
    title: "Search cluster: a node leaves",
    table: leaveTable({ ...args, manager: true, waitMinutes: 10 }),
  },
  "search-roll": {
    title: "Search cluster: bounce, other settings, another version",
    table: rollTable({
      ...args,
      order: ["es3", "es4", "es1", "es2", "frontend"],
      spot: ["es3", "es4"],
      clears: true,
      upgrades: true,
      first: rowsBeforeRoll(args.cluster, snapshots),
    }),
  },
  "search-snapshot": {
    title: "Search cluster: a snapshot (when `snapshots.location` or `snapshots.now` changes)",
    table: snapshotTable(args.cluster, snapshots),
  },
  ...panicExamples(args),
  "search-index": { title: "Search cluster: an index gets another version", table: indexTable(index) },
  "search-index-update": {
    title: "Search cluster: an index is changed in place",
    table: indexTable({ ...index, how: "update" as const }),
  },
};
