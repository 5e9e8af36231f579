import {
  at,
  type Draft,
  type Fields,
  fieldsOf,
  noHost,
  word,
  wordsOf,
  wrongNames,
} from "../../config/draft.ts";
import { addressNames, folderNames, poolNames, reachNames, revisionNames } from "./config.ts";
import { allowedWords, pathText, type Problem, shown } from "../../config/problems.ts";

/** What is wrong between the pools of a stack file and the rest of it. */
export function poolRules(draft: Draft): Problem[] {
  return Object.entries(draft.pools).flatMap(([name, pool]) =>
    [names, hostsOfPool, capacity, edge, releases, references, shared, upgrade, addresses].flatMap((rule) =>
      rule(name, pool, draft),
    ),
  );
}

type Rule = (name: string, pool: Fields, draft: Draft) => Problem[];

const names: Rule = (name, pool, { pairs }) => {
  const path = ["appPools", name];
  return [
    ...wrongNames(["appPools"], { [name]: pool }, poolNames),
    ...wrongNames([...path, "releases"], fieldsOf(pool.releases), revisionNames),
    ...wrongNames([...path, "links"], fieldsOf(pool.links), folderNames),
    ...wrongNames([...path, "addresses"], fieldsOf(pool.addresses), addressNames),
    ...wrongNames([...path, "reaches"], fieldsOf(pool.reaches), reachNames),
    ...wrongNames([...path, "settings"], fieldsOf(pool.settings), {
      pattern: /^[A-Z][A-Z0-9_]*$/,
      allowed: "upper-case letters, digits and underscores",
    }),
    ...(Object.hasOwn(pairs, name)
      ? [at(path, `${shown(name)} is the name of a pair too; give one of them another name`)]
      : []),
  ];
};

const hostsOfPool: Rule = (name, pool, { hosts, unreachable, absent }) => {
  const servers = Object.entries(fieldsOf(pool.servers));
  const balancers = wordsOf(pool.balancers);
  const named = [
    ...balancers.map((host, index): [string[], string] => [["balancers", String(index)], host]),
    ...servers.map(([host]): [string[], string] => [["servers", host], host]),
  ].map(([path, host]): [string[], string] => [["appPools", name, ...path], host]);
  const problems = named.flatMap(([path, host], index) => {
    if (!Object.hasOwn(hosts, host)) return [at(path, noHost(host, { hosts }))];
    if (absent.includes(host))
      return [at(path, `${shown(host)} is in changeover:absent; take it out of one of the two`)];
    if (named.findIndex(([, other]) => other === host) < index)
      return [at(path, `${shown(host)} has a part in this pool already; a host has one`)];
    return [];
  });
  const dead = servers
    .filter(([host, wanted]) => wanted !== "out" && unreachable.includes(host))
    .map(([host]) =>
      at(
        ["appPools", name, "servers", host],
        `${shown(host)} is in changeover:unreachable, so no step can run on it; allowed: out (the others serve without it)`,
      ),
    );
  const none = balancers.length > 0 && balancers.every((host) => unreachable.includes(host));
  return [
    ...problems,
    ...dead,
    ...(balancers.length === 0 && Array.isArray(pool.balancers)
      ? [at(["appPools", name, "balancers"], "empty; allowed: one host or more")]
      : []),
    ...(none
      ? [at(["appPools", name, "balancers"], "every balancer is in changeover:unreachable; one must answer")]
      : []),
  ];
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
const references: Rule = (name, pool, { pairs, caches }) => {
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
    ...missing(["database"], pool.database, "pair", pairs),
    ...missing(["cache"], pool.cache, "cache", caches),
  ];
};

/** A balancer's HAProxy has one configuration, and a server's port one application. */
const shared: Rule = (name, pool, { pools }) => {
  const earlier = Object.entries(pools).slice(0, Object.keys(pools).indexOf(name));
  const own = new Set([...wordsOf(pool.balancers), ...Object.keys(fieldsOf(pool.servers))]);
  return earlier.flatMap(([other, fields]) =>
    [...wordsOf(fields.balancers), ...Object.keys(fieldsOf(fields.servers))]
      .filter((host) => own.has(host))
      .map((host) =>
        at(
          ["appPools", name],
          `${shown(host)} has a part in ${pathText(["appPools", other])} already; a host has one`,
        ),
      ),
  );
};

/** A server is upgraded out of traffic, and only when the sessions on it are not the only ones (row 001-118). */
const upgrade: Rule = (name, pool, { caches }) => {
  if (pool.systemUpgrade === undefined) return [];
  const path = ["appPools", name, "systemUpgrade"];
  const nodes = fieldsOf(fieldsOf(caches[word(pool.cache) ?? ""]).nodes);
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
