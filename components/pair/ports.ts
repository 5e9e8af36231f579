import type { PortUse } from "../system.ts";
import { type Fields, mapped, wordsOf } from "../../config/draft.ts";
import { carriedPorts } from "./carried-config.ts";
import { defaultPorts } from "./config.ts";
import { machinesOf } from "./rules.ts";

const numberOr = (value: unknown, otherwise: number): number =>
  typeof value === "number" ? value : otherwise;

/** The ports of a pair, on both machines. */
export const portsOfPair = (pair: Fields): PortUse[] => [
  ...betweenMachines(pair),
  ...forClients(pair),
  ...ofServices(pair),
];

const members = ["members"] as const;

function betweenMachines(pair: Fields): PortUse[] {
  const copies = "copies, between the two machines";
  const use = (path: readonly string[], port: number, purpose: string): PortUse => ({
    path,
    port,
    purpose,
    hosts: machinesOf(pair),
    from: members,
  });
  return [
    use(["port"], numberOr(pair.port, defaultPorts.port), "database, between the two machines"),
    use(["peerPort"], numberOr(pair.peerPort, defaultPorts.peerPort), "records, between the two machines"),
    ...(Object.keys(mapped(pair.directories)).length > 0
      ? [use(["rsyncPort"], numberOr(pair.rsyncPort, carriedPorts.directories), copies)]
      : []),
    ...Object.entries(mapped(pair.indexes)).flatMap(([index, fields]) => [
      use(["indexes", index, "port"], numberOr(fields.port, carriedPorts.index), copies),
      use(["indexes", index, "rsyncPort"], numberOr(fields.rsyncPort, carriedPorts.indexCopies), copies),
    ]),
  ];
}

/** The database and the pages for clients; other entries of this list name the listeners. */
function forClients(pair: Fields): PortUse[] {
  const use = (path: readonly string[], port: number, purpose: string): PortUse => ({
    path,
    port,
    purpose,
    hosts: machinesOf(pair),
    from: ["network", ...wordsOf(pair.clients)],
    counts: "again",
  });
  const pages = new Map(
    Object.entries(mapped(pair.checks))
      .reverse()
      .map(([check, fields]) => [numberOr(fields.port, carriedPorts.pages), check]),
  );
  return [
    use(["port"], numberOr(pair.port, defaultPorts.port), "database, for clients"),
    ...[...pages]
      .reverse()
      .map(([port, check]) => use(["checks", check, "port"], port, "pages, for clients")),
  ];
}

/** A service may have the port of an index of the same pair; no other entry may have it. */
const ofServices = (pair: Fields): PortUse[] =>
  Object.entries(mapped(pair.services)).flatMap(([service, { ports }]) =>
    (Array.isArray(ports) ? ports : [])
      .filter((port) => typeof port === "number")
      .map((port) => ({
        path: ["services", service, "ports"],
        port,
        purpose: "a service of the pair",
        hosts: machinesOf(pair),
        from: [],
        counts: "own",
      })),
  );
