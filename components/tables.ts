import { cacheLeaveTable, cacheNodeTable, cacheRingTable } from "./cache-table.ts";
import { aloneTable, type CarriedRows, provisionTable, switchTable } from "./pair-table.ts";
import type { Table } from "./table.ts";

const everything: CarriedRows = { files: true, services: true, checks: true, snapshot: true };

/** Every transition there is, for the documents and for the tests that hold over all of them. */
export const tables: Readonly<Record<string, { title: string; table: Table }>> = {
  provision: {
    title: "Pair: provision (with software, services and files)",
    table: provisionTable({ software: "demo/sounz", carries: true }),
  },
  switch: {
    title: "Pair: switch (the host itself takes the service address)",
    table: switchTable({ platformMovesAddress: false, checksFromHost: false }),
  },
  "switch-carries": {
    title: "Pair: switch (with directories, indexes, services and checks; the database as a snapshot)",
    table: switchTable({ platformMovesAddress: false, checksFromHost: false, carried: everything }),
  },
  "switch-aws": {
    title: "Pair: switch (the platform moves the service address, the check runs on a host)",
    table: switchTable({ platformMovesAddress: true, checksFromHost: true }),
  },
  "alone-carries": {
    title:
      "Pair: switch without the other machine, which is sick and may still answer, with services and checks (no fence)",
    table: aloneTable({
      ...{ platformMovesAddress: false, checksFromHost: false, fencedBy: "nobody" },
      ...{ carried: everything, grab: "attempt" },
    }),
  },
  alone: {
    title: "Pair: switch without the other machine (`unreachable`; a command of the operator's cuts it off)",
    table: aloneTable({ platformMovesAddress: false, checksFromHost: false, fencedBy: "operator" }),
  },
  "alone-aws": {
    title: "Pair: switch without the other machine (the platform stops it and moves the service address)",
    table: aloneTable({ platformMovesAddress: true, checksFromHost: false, fencedBy: "platform" }),
  },
  "cache-node": { title: "Cache: a node (one after the other)", table: cacheNodeTable },
  "cache-ring": { title: "Cache: the ring (all clients)", table: cacheRingTable },
  "cache-leave": { title: "Cache: a host that is no node any more", table: cacheLeaveTable },
};
