import type { Example } from "../system.ts";
import { provisionTable } from "./provision-table.ts";
import { aloneTable, type CarriedRows, switchTable } from "./table.ts";

const everything: CarriedRows = { files: true, services: true, checks: true, snapshot: true };

/** The transitions of a pair, as the documents show them. */
export const pairExamples: Readonly<Record<string, Example>> = {
  provision: {
    title: "Pair: provision (with software, services and files)",
    table: provisionTable({ software: "demo/sounz", carries: true }),
  },
  switch: {
    title: "Pair: switch (the host takes the service address)",
    table: switchTable({ platformMovesAddress: false, checksFromHost: false }),
  },
  "switch-carries": {
    title: "Pair: switch (with directories, indexes, services and checks; the database as a snapshot)",
    table: switchTable({ platformMovesAddress: false, checksFromHost: false, carried: everything }),
  },
  "switch-aws": {
    title: "Pair: switch (the platform moves the service address; a host checks the service)",
    table: switchTable({ platformMovesAddress: true, checksFromHost: true }),
  },
  "alone-carries": {
    title: "Pair: emergency switch, lost machine in `suspect` (with services and checks; no fence)",
    table: aloneTable({
      platformMovesAddress: false,
      checksFromHost: false,
      fencedBy: "nobody",
      carried: everything,
      finalSync: "attempt",
    }),
  },
  alone: {
    title: "Pair: emergency switch, lost machine in `unreachable` (the operator's command cuts it off)",
    table: aloneTable({ platformMovesAddress: false, checksFromHost: false, fencedBy: "operator" }),
  },
  "alone-aws": {
    title:
      "Pair: emergency switch, lost machine in `unreachable` (the platform cuts it off and moves the address)",
    table: aloneTable({ platformMovesAddress: true, checksFromHost: false, fencedBy: "platform" }),
  },
};
