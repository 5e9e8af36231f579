import type { Example } from "../system.ts";
import { aloneTable, type CarriedRows, provisionTable, switchTable } from "./table.ts";

const everything: CarriedRows = { files: true, services: true, checks: true, snapshot: true };

/** The transitions of a pair, as the documents show them. */
export const pairExamples: Readonly<Record<string, Example>> = {
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
      platformMovesAddress: false,
      checksFromHost: false,
      fencedBy: "nobody",
      carried: everything,
      grab: "attempt",
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
};
