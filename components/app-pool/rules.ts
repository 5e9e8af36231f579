import type { HostUse, PortUse, Rule } from "../system.ts";
import { at, type Fields, fieldsOf, word, wordsOf, wrongNames } from "../../config/draft.ts";
import { allowedWords, pathText, shown } from "../../config/problems.ts";
import { addressNames, defaultPorts, folderNames, reachNames, revisionNames } from "./config.ts";

/** Balancers and servers: a host has one part in one pool, since HAProxy has one configuration, and a port one application. */
const once = "one part of one pool";

/** Where a pool names hosts. */
export const hostsOfPool = (pool: Fields): HostUse[] => [
  ...wordsOf(pool.balancers).map((host, index) => ({ path: ["balancers", String(index)], host, once })),
  ...Object.entries(fieldsOf(pool.servers)).map(([host, wanted]): HostUse => ({
    path: ["servers", host],
    host,
    once,
    ...(wanted === "out"
      ? {}
      : { whenLost: "no step can run on it; allowed: out (the others serve without it)" }),
  })),
];

/** Each part of a pool that moves by itself. */
export function componentsOfPool(name: string, pool: Fields): string[] {
  const servers = Object.keys(fieldsOf(pool.servers));
  const parts = [
    ...["balancers", "edge", "release", "maintenance"],
    ...new Set([...wordsOf(pool.balancers), ...servers].map((host) => `host-${host}`)),
    ...servers,
    ...servers.map((host) => `upgrade-${host}`),
    ...Object.keys(fieldsOf(pool.addresses)).map((address) => `address-${address.replaceAll(".", "-")}`),
  ];
  return parts.map((part) => `${name}-${part}`);
}

/** The site on its balancers, and the application on its servers. */
export const portsOfPool = (pool: Fields): PortUse[] => [
  {
    path: ["port"],
    port: typeof pool.port === "number" ? pool.port : defaultPorts.port,
    purpose: "the site, for users",
    hosts: wordsOf(pool.balancers),
    from: ["0.0.0.0/0"],
  },
  {
    path: ["appPort"],
    port: typeof pool.appPort === "number" ? pool.appPort : defaultPorts.appPort,
    purpose: "the application, from balancers",
    hosts: Object.keys(fieldsOf(pool.servers)),
    from: ["members"],
  },
];

const names: Rule = (name, pool) => {
  const path = ["appPools", name];
  return [
    ...wrongNames([...path, "releases"], fieldsOf(pool.releases), revisionNames),
    ...wrongNames([...path, "links"], fieldsOf(pool.links), folderNames),
    ...wrongNames([...path, "addresses"], fieldsOf(pool.addresses), addressNames),
    ...wrongNames([...path, "reaches"], fieldsOf(pool.reaches), reachNames),
    ...wrongNames([...path, "settings"], fieldsOf(pool.settings), {
      pattern: /^[A-Z][A-Z0-9_]*$/,
      allowed: "upper-case letters, digits and underscores",
    }),
  ];
};

const balancers: Rule = (name, pool, { unreachable }) => {
  const path = ["appPools", name, "balancers"];
  const hosts = wordsOf(pool.balancers);
  if (!Array.isArray(pool.balancers)) return [];
  if (hosts.length === 0) return [at(path, "empty; allowed: one host or more")];
  return hosts.every((host) => unreachable.includes(host))
    ? [at(path, "every balancer is in changeover:unreachable; one must answer")]
    : [];
};

/** A pool that may never lose a server can never get a release. */
const capacity: Rule = (name, pool) => {
  const serving = Object.values(fieldsOf(pool.servers)).filter((wanted) => wanted === "in").length;
  const least = typeof pool.minHealthy === "number" ? pool.minHealthy : 1;
  if (serving === 0 || serving > least || (serving === 1 && least === 1)) return [];
  return [
    at(
      ["appPools", name, "minHealthy"],
      `${String(least)} of ${String(serving)} servers that are in, so none may ever leave for a release; allowed: at most ${String(serving - 1)}, or one server more`,
    ),
  ];
};

/** The way back to Apache is there only while it is kept (row 001-112). */
const edge: Rule = (name, pool) => {
  const path = ["appPools", name];
  const { edge: by, apache = "none", apacheServer } = pool;
  const servers = fieldsOf(pool.servers);
  const known = Object.keys(servers).filter((one) => servers[one] !== "out");
  const kept = apache === "kept";
  const named = typeof apacheServer === "string";
  const rules: readonly (readonly [boolean, string, string])[] = [
    [
      by === "apache" && apache === "retired",
      "edge",
      "apache, but it is retired: it was uninstalled, and there is no way back to it; allowed: haproxy",
    ],
    [
      by === "apache" && apache === "none",
      "edge",
      "apache, but `apache` is none; allowed: haproxy, or `apache: kept`",
    ],
    [kept && !named, "apacheServer", "missing; allowed: the server that Apache hands requests to"],
    [
      kept && named && !known.includes(apacheServer),
      "apacheServer",
      `${shown(apacheServer)} is no server of this pool that gets releases; ${allowedWords(word(apacheServer) ?? "", known)}`,
    ],
    [
      by === "apache" && pool.maintenance === true,
      "maintenance",
      "true, but Apache serves; allowed: false, or `edge: haproxy`",
    ],
  ];
  return rules.flatMap(([wrong, key, text]) => (wrong ? [at([...path, key], text)] : []));
};

const releases: Rule = (name, pool) => {
  const known = Object.keys(fieldsOf(pool.releases));
  const { release } = pool;
  if (typeof release !== "string" || known.includes(release)) return [];
  const where = pathText(["appPools", name, "releases"]);
  return [
    at(
      ["appPools", name, "release"],
      `${shown(release)} is not in ${where}; ${allowedWords(release, known)}`,
    ),
  ];
};

/** Pairs and caches that a pool names must be there. */
const references: Rule = (name, pool, { entries }) => {
  const missing = (path: string[], named: unknown, kind: string, entries: object) =>
    typeof named !== "string" || Object.hasOwn(entries, named)
      ? []
      : [
          at(
            ["appPools", name, ...path],
            `${shown(named)} is no ${kind} of this file; ${allowedWords(named, Object.keys(entries))}`,
          ),
        ];
  return [
    ...missing(["database"], pool.database, "pair", entries("pairs")),
    ...missing(["cache"], pool.cache, "cache", entries("caches")),
  ];
};

/** A server is upgraded out of traffic, and only when the sessions on it are not the only ones (row 001-118). */
const upgrade: Rule = (name, pool, { entries }) => {
  if (pool.systemUpgrade === undefined) return [];
  const path = ["appPools", name, "systemUpgrade"];
  const nodes = fieldsOf(entries("caches")[word(pool.cache) ?? ""]?.nodes);
  const inside = Object.keys(nodes).filter((host) => nodes[host] === "in");
  const only = inside.length === 1 && Object.hasOwn(fieldsOf(pool.servers), inside[0] ?? "");
  return [
    ...(pool.edge === "apache"
      ? [at(path, "Apache serves by one server, which can't leave; allowed: `edge: haproxy`, or without it")]
      : []),
    ...(only
      ? [
          at(
            path,
            `${shown(String(inside[0]))} has the only node of ${pathText(["caches", word(pool.cache) ?? ""])}, so its sessions would end with it; make another host a node first`,
          ),
        ]
      : []),
  ];
};

/** An address is served by a balancer of its pool, and is released only when HAProxy knows who used it. */
const addresses: Rule = (name, pool) => {
  const balancers = wordsOf(pool.balancers);
  return Object.entries(fieldsOf(pool.addresses)).flatMap(([address, fields]) => {
    const path = ["appPools", name, "addresses", address];
    const { balancer, released } = fieldsOf(fields);
    return [
      ...(typeof balancer === "string" && !balancers.includes(balancer)
        ? [
            at(
              [...path, "balancer"],
              `${shown(balancer)} is no balancer of this pool; ${allowedWords(balancer, balancers)}`,
            ),
          ]
        : []),
      ...(released === true && pool.edge === "apache"
        ? [
            at(
              [...path, "released"],
              "true, but Apache serves, and only HAProxy notes who comes by an address; allowed: false, or `edge: haproxy`",
            ),
          ]
        : []),
    ];
  });
};

/** What is wrong between a pool and the rest of a stack file. */
export const poolRules: readonly Rule[] = [
  names,
  balancers,
  capacity,
  edge,
  releases,
  references,
  upgrade,
  addresses,
];
