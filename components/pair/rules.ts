import type { FolderUse, HostUse, Rule } from "../system.ts";
import {
  at,
  type Fields,
  fieldsOf,
  mapped,
  repeated,
  word,
  wordsOf,
  wrongNames,
} from "../../config/draft.ts";
import { allowedWords, shown } from "../../config/problems.ts";
import { contains, networkOf } from "../../platforms/ipv4.ts";
import { carriedNames, carriedPorts } from "./carried-config.ts";
import { databaseNames } from "./config.ts";

/** The hosts in these fields of a pair, if they are text. */
const hostsAt = (pair: Fields, ...keys: string[]): (readonly [string, string])[] =>
  keys.flatMap((key): [string, string][] => {
    const name = word(pair[key]);
    return name === undefined ? [] : [[key, name]];
  });

/** The machines of a pair, if they are text. */
export const machinesOf = (pair: Fields): string[] =>
  hostsAt(pair, "primary", "secondary").map(([, host]) => host);

/** The fields of a pair that name hosts. */
export function hostsOfPair(name: string, pair: Fields): HostUse[] {
  const uses = hostsAt(pair, "primary", "secondary", "production").map(([key, host]): HostUse => ({
    path: [key],
    host,
    ...(key === "production"
      ? { whenLost: "name the other machine of the pair, or remove this one from the list" }
      : { once: `one machine of ${name}` }),
  }));
  const witness = word(pair.checksFrom) ?? "operator";
  if (witness === "operator") return uses;
  return [
    ...uses,
    {
      path: ["checksFrom"],
      host: witness,
      witness: true,
      besides: ["operator"],
      whenLost: "name another host, or operator",
    },
  ];
}

/** Keys of maps that become names on the machines. */
const names: Rule = (name, pair) =>
  ["directories", "indexes", "services", "checks"].flatMap((map) =>
    wrongNames(["pairs", name, map], fieldsOf(pair[map]), carriedNames),
  );

/** Without `database` the database is called like the pair. */
const databaseName: Rule = (name, pair) =>
  pair.database !== undefined || databaseNames.pattern.test(name)
    ? []
    : [
        at(
          ["pairs", name, "database"],
          `missing, and ${shown(name)} is not allowed as the name of a database; allowed: ${databaseNames.allowed}`,
        ),
      ];

/** Production must be one of the two machines. */
const production: Rule = (name, pair, { hosts }) => {
  const members = machinesOf(pair);
  const serving = word(pair.production);
  if (
    serving === undefined ||
    members.length < 2 ||
    !Object.hasOwn(hosts, serving) ||
    members.includes(serving)
  )
    return [];
  if (!members.every((host) => Object.hasOwn(hosts, host))) return [];
  return [
    at(
      ["pairs", name, "production"],
      `${shown(serving)} is not a machine of the pair; ${allowedWords(serving, members)}`,
    ),
  ];
};

/** On aws only the operator sees the service as users do. */
const witness: Rule = (name, pair, { platform }) => {
  const from = word(pair.checksFrom) ?? "operator";
  return platform === "aws" && from !== "operator"
    ? [
        at(
          ["pairs", name, "checksFrom"],
          `${shown(from)} is inside the VPC and cannot see the Elastic IP as users do; allowed: operator`,
        ),
      ]
    : [];
};

/** A service address belongs to one pair, and to no host. */
const serviceAddress: Rule = (name, _, { hosts, entries }) => {
  const others: [readonly string[], string | undefined][] = [
    ...Object.entries(hosts).map(([host, { address }]): [string[], string | undefined] => [
      ["hosts", host, "address"],
      word(address),
    ]),
    ...Object.entries(entries("pairs")).map(([other, fields]): [string[], string | undefined] => [
      ["pairs", other, "serviceAddress"],
      word(fields.serviceAddress),
    ]),
  ];
  return repeated(others).filter(({ path }) => path[0] === "pairs" && path[1] === name);
};

/** Copies are recorded by name: each name is used once, and `database` is reserved. */
const carriedThings: Rule = (name, pair) => {
  const [directories, indexes] = [mapped(pair.directories), mapped(pair.indexes)];
  const twice = Object.keys(indexes).filter((index) => Object.hasOwn(directories, index));
  const reserved = [...Object.keys(directories), ...Object.keys(indexes)].includes("database");
  const template = Object.entries(mapped(pair.services)).filter(
    ([, { unit, ports: listed }]) =>
      word(unit)?.endsWith("@") === true && (!Array.isArray(listed) || listed.length === 0),
  );
  const snapshot = pair.replication === "snapshot" && pair.synchronous === true;
  return [
    ...twice.map((index) =>
      at(["pairs", name, "indexes", index], "is also the name of a directory; rename one of them"),
    ),
    ...(reserved
      ? [
          at(
            ["pairs", name, "directories"],
            '"database" is reserved for the copy of the database; use another name',
          ),
        ]
      : []),
    ...template.map(([service]) =>
      at(
        ["pairs", name, "services", service, "ports"],
        "is missing; a unit that ends with @ has an instance for each port",
      ),
    ),
    ...(snapshot
      ? [
          at(
            ["pairs", name, "synchronous"],
            "true is not allowed with replication: snapshot, where the standby does not stream; allowed: false",
          ),
        ]
      : []),
  ];
};

/** The folders that a pair copies, on both machines. */
export const foldersOfPair = (pair: Fields): FolderUse[] => {
  const hosts = machinesOf(pair);
  return [
    ...Object.entries(fieldsOf(pair.directories)).map(([directory, path]) => ({
      path: ["directories", directory],
      folder: word(path) ?? "",
      hosts,
    })),
    ...Object.entries(mapped(pair.indexes)).map(([index, { data }]) => ({
      path: ["indexes", index, "data"],
      folder: word(data) ?? "",
      hosts,
    })),
  ];
};

/** A unit belongs to one service, and the Solr of an index runs on both machines. */
const carriedServices: Rule = (name, pair) => {
  const path = (...more: string[]) => ["pairs", name, "services", ...more];
  const services = Object.entries(mapped(pair.services));
  const solrs = Object.values(mapped(pair.indexes)).map(({ port }) => shown(port ?? carriedPorts.index));
  const stopped = services.filter(
    ([, { on, ports: listed }]) =>
      on !== "both" && Array.isArray(listed) && listed.some((port) => solrs.includes(shown(port))),
  );
  return [
    ...repeated(
      services.map(([service, { unit }]) => [path(service, "unit"), word(unit)?.replace(/\.service$/, "")]),
    ),
    ...repeated(services.map(([service, { portsAs }]) => [path(service, "portsAs"), word(portsAs)])),
    ...stopped.map(([service]) =>
      at(
        path(service, "on"),
        "production is not allowed: this port is the Solr of an index, which must run on both machines; allowed: both",
      ),
    ),
  ];
};

/** On aws the operator's machine checks the service after a switch, so it must be a client. */
const awsClients: Rule = (name, pair, draft) => {
  const operators = wordsOf(draft.network.operatorCidrs).flatMap((cidr) => networkOf(cidr) ?? []);
  if (draft.platform !== "aws" || operators.length === 0) return [];
  const clients = wordsOf(pair.clients).flatMap((cidr) => networkOf(cidr) ?? []);
  if (operators.some((operator) => clients.some((client) => contains(client, operator)))) return [];
  const wanted = wordsOf(draft.network.operatorCidrs).join(", ");
  return [
    at(
      ["pairs", name, "clients"],
      `${shown(pair.clients ?? [])} contains none of network.operatorCidrs (${wanted}), so the check after a switch would fail; add one of them`,
    ),
  ];
};

/** On aws each network of clients gets a route past the NAT gateway, so it must not be the whole internet. */
const awsRoutes: Rule = (name, { clients }, { platform }) =>
  wordsOf(clients).flatMap((cidr, index) =>
    platform === "aws" && networkOf(cidr)?.prefix === 0
      ? [
          at(
            ["pairs", name, "clients", String(index)],
            `${shown(cidr)} is the whole internet; name the networks of the clients`,
          ),
        ]
      : [],
  );

/** Rules between a pair and the rest of a stack file. */
export const pairRules: readonly Rule[] = [
  names,
  databaseName,
  production,
  witness,
  serviceAddress,
  carriedThings,
  carriedServices,
  awsClients,
  awsRoutes,
];
