import type { HostUse, Rule } from "../system.ts";
import {
  at,
  type Draft,
  type Fields,
  fieldsOf,
  mapped,
  overlap,
  repeated,
  word,
  wordsOf,
  wrongNames,
} from "../../config/draft.ts";
import { allowedWords, pathText, shown } from "../../config/problems.ts";
import { contains, networkOf } from "../../platforms/ipv4.ts";
import { carriedNames, carriedPorts } from "./carried-config.ts";

/** The hosts that the fields of a pair name, as far as they are words. */
const named = (pair: Fields, ...keys: string[]): (readonly [string, string])[] =>
  keys.flatMap((key): [string, string][] => {
    const name = word(pair[key]);
    return name === undefined ? [] : [[key, name]];
  });

/** The machines of a pair, as far as they are words. */
export const machinesOf = (pair: Fields): string[] =>
  named(pair, "primary", "secondary").map(([, host]) => host);

/** Where a pair names hosts. */
export function hostsOfPair(name: string, pair: Fields): HostUse[] {
  const uses = named(pair, "primary", "secondary", "production").map(([key, host]): HostUse => ({
    path: [key],
    host,
    ...(key === "production"
      ? { whenLost: "name the other machine, or take it off the list" }
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

/** Maps of a pair whose keys become names on its machines. */
const names: Rule = (name, pair) =>
  ["directories", "indexes", "services", "checks"].flatMap((map) =>
    wrongNames(["pairs", name, map], fieldsOf(pair[map]), carriedNames),
  );

/** Production is one of the two machines. */
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
      `${shown(serving)} is no machine of the pair; ${allowedWords(serving, members)}`,
    ),
  ];
};

const witness: Rule = (name, pair, { platform }) => {
  const from = word(pair.checksFrom) ?? "operator";
  return platform === "aws" && from !== "operator"
    ? [
        at(
          ["pairs", name, "checksFrom"],
          `${shown(from)} can't see an Elastic IP as users do, from inside; allowed: operator`,
        ),
      ]
    : [];
};

/** No address is two things, and none is a machine's own. */
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

/** Copies are recorded by name, on the machine and in preflight: no two may share one, nor the database's. */
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
    ...twice.map((index) => at(["pairs", name, "indexes", index], "is a directory too; name one otherwise")),
    ...(reserved
      ? [at(["pairs", name, "directories"], '"database" is the pair\'s own copy; name it otherwise')]
      : []),
    ...template.map(([service]) =>
      at(
        ["pairs", name, "services", service, "ports"],
        "missing; a unit that ends with @ has an instance for each port",
      ),
    ),
    ...(snapshot
      ? [
          at(
            ["pairs", name, "synchronous"],
            "true is not allowed with replication snapshot, where no standby hears of a commit",
          ),
        ]
      : []),
  ];
};

/** What is different on the two machines of a pair, or is written beside a copy. */
const ofMachines = (pair: string): string[] => [
  ...[
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/boot",
    "/etc/ssh",
    "/etc/systemd",
    "/etc/network",
    "/etc/postgresql",
  ],
  ...["/var/lib/postgresql", "/var/lib/changeover", "/usr/local/lib/changeover", "/opt/changeover"],
  ...[`/etc/${pair}`, `/var/log/${pair}/${pair}-general.log`],
];

/** What a pair copies, with where it stands. */
const copied = (name: string, pair: Fields): { readonly at: readonly string[]; readonly path: string }[] =>
  [
    ...Object.entries(fieldsOf(pair.directories)).map(([directory, path]) => ({
      at: ["pairs", name, "directories", directory],
      path: word(path),
    })),
    ...Object.entries(mapped(pair.indexes)).map(([index, { data }]) => ({
      at: ["pairs", name, "indexes", index, "data"],
      path: word(data),
    })),
  ].flatMap(({ at: place, path }) => (path === undefined ? [] : [{ at: place, path }]));

/** Copies on the same machines that come before this one in the file. */
function copiesBefore(place: readonly string[], pair: Fields, { entries }: Draft) {
  const hosts = machinesOf(pair);
  const together = Object.entries(entries("pairs")).filter(([, other]) =>
    machinesOf(other).some((host) => hosts.includes(host)),
  );
  const all = together.flatMap(([name, other]) => copied(name, other));
  return all.slice(
    0,
    all.findIndex((copy) => copy.at.join("\0") === place.join("\0")),
  );
}

/** What a copy deletes must be nothing but what the same copy brings. */
const carriedPaths: Rule = (name, pair, draft) =>
  copied(name, pair).flatMap(({ at: place, path }) => {
    const own = ofMachines(name).find((folder) => overlap(path, folder));
    if (own !== undefined)
      return [
        at(
          place,
          `${shown(path)} has ${own} in it, or is in it, which is each machine's own; name another folder`,
        ),
      ];
    const other = copiesBefore(place, pair, draft).find((copy) => overlap(path, copy.path));
    if (!other) return [];
    return [
      at(
        place,
        `${shown(path)} and ${pathText(other.at)} (${other.path}) are copied over each other; name folders apart`,
      ),
    ];
  });

/** A unit has one role, and the Solr of an index runs where it is copied to and from. */
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
        "listens on the port of an index, and an index is copied from a Solr that runs; name both",
      ),
    ),
  ];
};

/** On aws the check after a switch comes from the operator's machine, which is a client then. */
const awsClients: Rule = (name, pair, draft) => {
  const operators = wordsOf(draft.network.operatorCidrs).flatMap((cidr) => networkOf(cidr) ?? []);
  if (draft.platform !== "aws" || operators.length === 0) return [];
  const clients = wordsOf(pair.clients).flatMap((cidr) => networkOf(cidr) ?? []);
  if (operators.some((operator) => clients.some((client) => contains(client, operator)))) return [];
  const wanted = wordsOf(draft.network.operatorCidrs).join(", ");
  return [
    at(
      ["pairs", name, "clients"],
      `${shown(pair.clients ?? [])} holds none of network.operatorCidrs (${wanted}), so the check after a switch would be shut out; add one`,
    ),
  ];
};

/** On aws each client's network gets a route past the NAT gateway, so none may be everybody. */
const awsRoutes: Rule = (name, { clients }, { platform }) =>
  wordsOf(clients).flatMap((cidr, index) =>
    platform === "aws" && networkOf(cidr)?.prefix === 0
      ? [
          at(
            ["pairs", name, "clients", String(index)],
            `${shown(cidr)} is everybody; name the clients' networks`,
          ),
        ]
      : [],
  );

/** What is wrong between a pair and the rest of a stack file. */
export const pairRules: readonly Rule[] = [
  names,
  production,
  witness,
  serviceAddress,
  carriedThings,
  carriedPaths,
  carriedServices,
  awsClients,
  awsRoutes,
];
