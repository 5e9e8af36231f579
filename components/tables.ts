import { aloneTable, provisionTable, switchTable } from "./pair-table.ts";
import type { Table } from "./table.ts";

/** Every transition there is, for the documents and for the tests that hold over all of them. */
export const tables: Readonly<Record<string, { title: string; table: Table }>> = {
  provision: { title: "Pair: provision", table: provisionTable },
  switch: {
    title: "Pair: switch (the host itself takes the service address)",
    table: switchTable({ platformMovesAddress: false, checksFromHost: false }),
  },
  "switch-aws": {
    title: "Pair: switch (the platform moves the service address, the check runs on a host)",
    table: switchTable({ platformMovesAddress: true, checksFromHost: true }),
  },
  alone: {
    title: "Pair: switch without the other machine (`unreachable`; a command of the operator's cuts it off)",
    table: aloneTable({ platformMovesAddress: false, checksFromHost: false, fencedBy: "operator" }),
  },
  "alone-aws": {
    title: "Pair: switch without the other machine (the platform stops it and moves the service address)",
    table: aloneTable({ platformMovesAddress: true, checksFromHost: false, fencedBy: "platform" }),
  },
};
