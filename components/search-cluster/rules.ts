import { at, type Fields, fieldsOf, word, wordsOf, wrongNames } from "../../config/draft.ts";
import { allowedWords, type Problem, shown } from "../../config/problems.ts";
import type { FolderUse, HostUse, PortUse, Rule } from "../system.ts";
import { defaultPorts, settingNames, versionNames } from "./config.ts";
import { componentsOfPanic, hostsOfPanic, panicRules } from "./panic/rules.ts";
import { indexRules } from "./indexes/rules.ts";
import { dataFolder, nodeComponent } from "./goal.ts";
import { snapshotRule } from "./snapshots/rules.ts";

const nodesOf = ({ nodes }: Fields): [string, Fields][] =>
  Object.entries(fieldsOf(nodes)).map(([host, fields]) => [host, fieldsOf(fields)]);

const hostsOf = (cluster: Fields): string[] => nodesOf(cluster).map(([host]) => host);

const isOut = ({ is }: Fields): boolean => is === "out";

const rolesOf = ({ roles }: Fields): readonly string[] => (Array.isArray(roles) ? wordsOf(roles) : ["data"]);

/** Where a cluster names hosts. */
export const hostsOfSearch = (name: string, cluster: Fields): HostUse[] => [
  ...hostsOf(cluster).map((host) => ({ path: ["nodes", host], host, once: `one node of ${name}` })),
  ...hostsOfPanic(cluster),
];

/** Components of a cluster: all of it, each node, and each index. */
export const componentsOfSearch = (name: string, cluster: Fields): string[] => [
  name,
  ...[...hostsOf(cluster), ...Object.keys(fieldsOf(cluster.indexes))].map((part) =>
    nodeComponent(name, part),
  ),
  ...componentsOfPanic(name, cluster),
];

/** The port for requests, and the one between nodes; each node's own rules reject everybody else. */
export function portsOfSearch(cluster: Fields): PortUse[] {
  const hosts = hostsOf(cluster);
  const number = (value: unknown, otherwise: number): number =>
    typeof value === "number" ? value : otherwise;
  return [
    {
      path: ["port"],
      port: number(cluster.port, defaultPorts.port),
      purpose: "requests to the search cluster",
      hosts,
      from: ["members", ...wordsOf(cluster.clients)],
    },
    {
      path: ["transportPort"],
      port: number(cluster.transportPort, defaultPorts.transportPort),
      purpose: "nodes of the search cluster among themselves",
      hosts,
      from: ["members"],
    },
  ];
}

/** What a cluster has to itself on its nodes. */
export const foldersOfSearch = (name: string, cluster: Fields): FolderUse[] => [
  { path: ["data"], folder: dataFolder(name, word(cluster.data)), hosts: hostsOf(cluster) },
  { path: [], folder: `/var/log/${name}`, hosts: hostsOf(cluster) },
];

/** What real servers of this project's tests run; others are refused until they were tried. */
const engines: Readonly<Record<string, readonly number[]>> = { opensearch: [2], elasticsearch: [7] };

const names: Rule = (name, cluster) => [
  ...wrongNames(["searchClusters", name, "settings"], fieldsOf(cluster.settings), settingNames),
  ...wrongNames(["searchClusters", name, "versions"], fieldsOf(cluster.versions), versionNames),
];

const versions: Rule = (name, cluster) => {
  const path = ["searchClusters", name, "version"];
  const [version, engine] = [word(cluster.version), word(cluster.engine)];
  if (version === undefined || engine === undefined || !versionNames.pattern.test(version)) return [];
  const known = Object.keys(fieldsOf(cluster.versions));
  const majors = engines[engine] ?? [];
  return [
    ...(known.includes(version)
      ? []
      : [at(path, `${shown(version)} is none of \`versions\`; ${allowedWords(version, known)}`)]),
    ...(majors.length === 0 || majors.includes(Number(version.split(".")[0]))
      ? []
      : [
          at(
            path,
            `${shown(version)} of ${engine} was never run with this program; allowed: ${majors.map((major) => `${String(major)}.x`).join(", ")}`,
          ),
        ]),
  ];
};

/** Votes: an odd number of managers, three or more unless a reason is given. */
const votes: Rule = (name, cluster) => {
  const path = ["searchClusters", name, "nodes"];
  const managers = nodesOf(cluster).filter(([, node]) => !isOut(node) && rolesOf(node).includes("manager"));
  const count = managers.length;
  if (hostsOf(cluster).length === 0) return [];
  if (count === 0)
    return [
      at(path, "no node has the role manager; allowed: 3 managers, or 1 with a reason in singleManager"),
    ];
  if (count < 3)
    return cluster.singleManager === undefined
      ? [
          at(
            path,
            `${String(count)} of the nodes can be the manager, so the cluster stands still while one is away; allowed: 3, or a reason in singleManager`,
          ),
        ]
      : [];
  return count % 2 === 0
    ? [
        at(
          path,
          `${String(count)} managers have no more votes to lose than ${String(count - 1)}; allowed: an odd number`,
        ),
      ]
    : [];
};

/** Shards are on nodes that stay, and the coordinator is a node. */
const places: Rule = (name, cluster): Problem[] => {
  const path = ["searchClusters", name];
  const spot = Array.isArray(cluster.spotZones) ? wordsOf(cluster.spotZones) : ["spot"];
  const data = nodesOf(cluster).filter(
    ([, node]) => node.is !== "out" && node.is !== "drained" && rolesOf(node).includes("data"),
  );
  const safe = data.filter(([, { zone = "safe" }]) => typeof zone !== "string" || !spot.includes(zone));
  const known = nodesOf(cluster).flatMap(([host, node]) => (isOut(node) ? [] : [host]));
  const coordinator = word(cluster.coordinator);
  return [
    ...(hostsOf(cluster).length > 0 && safe.length === 0
      ? [
          at(
            [...path, "nodes"],
            "no node with data is `in` outside of the spot zones, so all data may vanish at once; allowed: at least one",
          ),
        ]
      : []),
    ...(coordinator === undefined || known.includes(coordinator)
      ? []
      : [
          at(
            [...path, "coordinator"],
            `${shown(coordinator)} is no node of this cluster that runs; ${allowedWords(coordinator, known)}`,
          ),
        ]),
    ...(Object.hasOwn(cluster, "data") && word(cluster.data) === `/var/log/${name}`
      ? [at([...path, "data"], "is the folder of the logs; name another one")]
      : []),
  ];
};

/** What is checked between the fields of a cluster and the rest of the stack file. */
export const searchRules: readonly Rule[] = [
  names,
  versions,
  votes,
  places,
  snapshotRule,
  indexRules,
  ...panicRules,
];
