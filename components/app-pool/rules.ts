import type { FolderUse, HostUse, PortUse, Rule } from "../system.ts";
import { at, type Fields, fieldsOf, overlap, word, wordsOf, wrongNames } from "../../config/draft.ts";
import { allowedWords, pathText, shown } from "../../config/problems.ts";
import {
  addressNames,
  defaultPorts,
  folderNames,
  reachNames,
  revisionNames,
  settingNames,
} from "./config.ts";

/** A host has one part in one pool, since HAProxy has one configuration, and a port one application. */
const once = "one part of one pool";

/** All places where a pool names hosts. */
export const hostsOfPool = (pool: Fields): HostUse[] => [
  ...wordsOf(pool.balancers).map((host, index) => ({ path: ["balancers", String(index)], host, once })),
  ...Object.entries(fieldsOf(pool.servers)).map(([host, wanted]): HostUse => ({
    path: ["servers", host],
    host,
    once,
    ...(wanted === "out"
      ? {}
      : { whenLost: "no step can run on it; allowed: out (the other servers serve without it)" }),
  })),
];

/** Each part of a pool that has its own records on hosts. */
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

/** What a pool has to itself on its servers; volumes are mounted beside it, below `shared/`. */
export const foldersOfPool = (name: string, pool: Fields): FolderUse[] =>
  ["releases", "archives"].map((folder) => ({
    path: [],
    folder: `/deploy/${name}/${folder}`,
    hosts: Object.keys(fieldsOf(pool.servers)),
  }));

/** Ports of the site on its balancers, and of the application on its servers. */
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
    ...wrongNames([...path, "settings"], fieldsOf(pool.settings), settingNames),
  ];
};

/** A link replaces no program of a release, and none lies in another one: what holds a shared folder is root's. */
const links: Rule = (name, pool) => {
  const all = Object.entries(fieldsOf(pool.links)).map(
    ([place, target]) => [place, word(target) ?? ""] as const,
  );
  return all.flatMap(([place, target], index) => {
    const path = ["appPools", name, "links", place];
    const before = all.slice(0, index);
    const around = before.find(([other]) => overlap(other, place));
    const shared = before.find(([, other]) => other !== target && overlap(other, target));
    const own = ["bin", "REVISION"].find((part) => overlap(part, place));
    return [
      ...(own === undefined
        ? []
        : [at(path, `${shown(place)} is ${own} of each release; name another folder`)]),
      ...(around
        ? [
            at(
              path,
              `${shown(place)} overlaps the link ${shown(around[0])}; name folders that do not overlap`,
            ),
          ]
        : []),
      ...(shared
        ? [
            at(
              path,
              `${shown(target)} overlaps ${shown(shared[1])} of the link ${shown(shared[0])}; name folders that do not overlap`,
            ),
          ]
        : []),
    ];
  });
};

const balancers: Rule = (name, pool, { unreachable }) => {
  const path = ["appPools", name, "balancers"];
  const hosts = wordsOf(pool.balancers);
  if (!Array.isArray(pool.balancers)) return [];
  if (hosts.length === 0) return [at(path, "empty; allowed: at least one host")];
  return hosts.every((host) => unreachable.includes(host))
    ? [at(path, "every balancer is in changeover:unreachable; allowed: at least one balancer that answers")]
    : [];
};

/** A pool that needs all its servers can never get a release. */
const capacity: Rule = (name, pool) => {
  const serving = Object.values(fieldsOf(pool.servers)).filter((wanted) => wanted === "in").length;
  const least = typeof pool.minHealthy === "number" ? pool.minHealthy : 1;
  if (serving === 0 || serving > least || (serving === 1 && least === 1)) return [];
  return [
    at(
      ["appPools", name, "minHealthy"],
      `${String(least)}, but ${String(serving)} servers are in, so no server may leave traffic for a release; allowed: at most ${String(serving - 1)}, or one more server`,
    ),
  ];
};

/** `edge: apache` needs an Apache that is kept, and the server that Apache passes requests to. */
const edge: Rule = (name, pool) => {
  const path = ["appPools", name];
  const { edge: by, apache = "none", apacheServer } = pool;
  const servers = fieldsOf(pool.servers);
  const known = Object.keys(servers).filter((server) => servers[server] !== "out");
  const kept = apache === "kept";
  const named = typeof apacheServer === "string";
  const rules: readonly (readonly [boolean, string, string])[] = [
    [
      by === "apache" && apache === "retired",
      "edge",
      "apache, but Apache is retired: it is uninstalled, and no way leads back to it; allowed: haproxy",
    ],
    [
      by === "apache" && apache === "none",
      "edge",
      "apache, but `apache` is none; allowed: haproxy, or `apache: kept`",
    ],
    [kept && !named, "apacheServer", "missing; allowed: the server that Apache passes requests to"],
    [
      kept && named && !known.includes(apacheServer),
      "apacheServer",
      `${shown(apacheServer)} is not a server of this pool that gets releases; ${allowedWords(word(apacheServer) ?? "", known)}`,
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

/** Pairs and caches that a pool names must be in the file. */
const references: Rule = (name, pool, { entries }) => {
  const missing = (path: string[], named: unknown, kind: string, entries: object) =>
    typeof named !== "string" || Object.hasOwn(entries, named)
      ? []
      : [
          at(
            ["appPools", name, ...path],
            `${shown(named)} is not a ${kind} in this file; ${allowedWords(named, Object.keys(entries))}`,
          ),
        ];
  return [
    ...missing(["database"], pool.database, "pair", entries("pairs")),
    ...missing(["cache"], pool.cache, "cache", entries("caches")),
  ];
};

/** A server is upgraded while it is drained, and only if another host keeps sessions too. */
const upgrade: Rule = (name, pool, { entries }) => {
  if (pool.systemUpgrade === undefined) return [];
  const path = ["appPools", name, "systemUpgrade"];
  const nodes = fieldsOf(entries("caches")[word(pool.cache) ?? ""]?.nodes);
  const nodesIn = Object.keys(nodes).filter((host) => nodes[host] === "in");
  const only = nodesIn.length === 1 && Object.hasOwn(fieldsOf(pool.servers), nodesIn[0] ?? "");
  return [
    ...(pool.edge === "apache"
      ? [
          at(
            path,
            "set, but Apache serves from one server, which can't be drained; allowed: `edge: haproxy`, or no systemUpgrade",
          ),
        ]
      : []),
    ...(only
      ? [
          at(
            path,
            `${shown(String(nodesIn[0]))} has the only node of ${pathText(["caches", word(pool.cache) ?? ""])}, so an upgrade would end all sessions; add a node on another host first`,
          ),
        ]
      : []),
  ];
};

/** A balancer of the pool serves the address. Only HAProxy's log can show that an address has no clients. */
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
              `${shown(balancer)} is not a balancer of this pool; ${allowedWords(balancer, balancers)}`,
            ),
          ]
        : []),
      ...(released === true && pool.edge === "apache"
        ? [
            at(
              [...path, "released"],
              "true, but Apache serves, and only HAProxy logs the clients of an address; allowed: false, or `edge: haproxy`",
            ),
          ]
        : []),
    ];
  });
};

/** Rules between the fields of a pool and the rest of a stack file. */
export const poolRules: readonly Rule[] = [
  names,
  links,
  balancers,
  capacity,
  edge,
  releases,
  references,
  upgrade,
  addresses,
];
