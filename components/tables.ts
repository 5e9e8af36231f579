import { provisionTable, switchTable } from "./pair-table.ts";
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
};
