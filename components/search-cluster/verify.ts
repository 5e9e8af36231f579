import type { LookRequest, Seen } from "../system.ts";
import { type PanicExpected, panicWords, writersDiffer } from "./panic/verify.ts";
import type { SearchFacts } from "./decide.ts";
import { nodeComponent } from "./goal.ts";
import type { nodeStates } from "./config.ts";
import { newestWords, snapshotDifferences, type SnapshotsExpected } from "./snapshots/verify.ts";

/** What the state says of a cluster. */
export interface SearchExpected extends PanicExpected {
  readonly engine: string;
  readonly version: string;
  readonly port: number;
  /** By host. */
  readonly nodes: Readonly<
    Record<
      string,
      { readonly is: (typeof nodeStates)[number]; readonly zone: string; readonly roles: readonly string[] }
    >
  >;
  readonly bounce?: string;
  /** Snapshots that are to be there; left out: none. */
  readonly snapshots?: SnapshotsExpected;
  /** Versions of indexes by alias; left out by updates before there were any. */
  readonly indexes?: Readonly<Record<string, string>>;
  /** How often each drain that runs was looked at by an update. */
  readonly drains: Readonly<Record<string, number>>;
}

/** The looks at a cluster: each node by its own word. */
export const looksOfSearch = (name: string, { nodes, writers = {} }: SearchExpected): LookRequest[] =>
  [...new Set([...Object.keys(nodes), ...Object.keys(writers)])].map((host) => ({
    host,
    probe: "search/probe",
    words: [name, name],
  }));

const startAgain = (component: string, transition: string): string =>
  `start again: npx pulumi up --replace '**::${component}-${transition}-id'`;

/** Where hosts differ from the state, a line each, beyond their records. */
export function searchDifferences(
  name: string,
  expected: SearchExpected,
  seen: readonly Seen<SearchFacts>[],
): string[] {
  return [
    ...seen.flatMap(({ look: { host, facts } }) =>
      facts
        ? [
            ...(Object.hasOwn(expected.nodes, host) ? ofNode(name, host, facts, expected) : []),
            ...writersDiffer(name, host, facts, expected),
          ].map((line) => `${host}: ${line}`)
        : [],
    ),
    ...ofCluster(name, seen, expected),
  ];
}

function ofNode(
  name: string,
  host: string,
  facts: SearchFacts,
  { nodes, version, bounce }: SearchExpected,
): string[] {
  const member = startAgain(nodeComponent(name, host), "member");
  if (nodes[host]?.is === "out")
    return facts.active ? [`still runs a node of ${name} (expected: stopped); ${member}`] : [];
  if (!facts.active) return [`runs no node of ${name}; start it: systemctl start changeover-search-${name}`];
  if (!facts.node)
    return [`its node of ${name} gives no answer; see: journalctl -u changeover-search-${name}`];
  const roll = startAgain(name, "roll");
  return [
    ...(facts.node.manager === null
      ? [`sees no manager; see docs/runbook.md, "a search node sees no manager"`]
      : []),
    ...(facts.node.version === version ? [] : [`runs ${facts.node.version} (expected: ${version}); ${roll}`]),
    ...(facts.running !== null && facts.running === facts.next
      ? []
      : [
          `runs with configuration ${facts.running ?? "none of this program"} (expected: ${facts.next ?? "none"}); ${roll}`,
        ]),
    ...(bounce === undefined || facts.bounced === bounce
      ? []
      : [`was last restarted for "${facts.bounced ?? ""}" (expected: "${bounce}"); ${roll}`]),
    ...(facts.rules === "loaded"
      ? []
      : [
          `lets every host reach ports of ${name}${facts.rules === "unwatched" ? " after the next flush of nftables" : ""}; ${startAgain(name, "host")}`,
        ]),
    ...(nodes[host]?.is === "drained" && (facts.shards ?? 0) > 0
      ? [
          `holds ${String(facts.shards)} shards (expected: 0, it is drained); npx pulumi up says what blocks them`,
        ]
      : []),
  ];
}

/** What the nodes say together: more than one manager, a red cluster, what a step left. */
function ofCluster(
  name: string,
  seen: readonly Seen<SearchFacts>[],
  { snapshots }: SearchExpected,
): string[] {
  const facts = seen.flatMap(({ look }) => (look.facts?.node ? [look.facts] : []));
  const managers = new Set(facts.flatMap(({ node }) => node?.manager ?? []));
  const uuids = new Set(facts.flatMap(({ node }) => node?.uuid ?? []));
  const [first] = facts.filter(({ node }) => node?.manager);
  const left = Object.entries(first?.leases ?? {});
  return [
    ...(managers.size > 1
      ? [
          `${name}: its nodes see ${String(managers.size)} managers: ${[...managers].join(", ")}; see docs/runbook.md, "a search node sees no manager"`,
        ]
      : []),
    ...(uuids.size > 1
      ? [
          `${name}: its nodes belong to ${String(uuids.size)} clusters; see docs/runbook.md, "two search clusters"`,
        ]
      : []),
    ...(first?.health?.status === "red"
      ? [`${name}: is red, a primary is missing; see docs/runbook.md, "the search cluster is red"`]
      : []),
    ...(first && first.allocation !== "all" && left.length === 0
      ? [
          `${name}: places only ${first.allocation ?? "nothing"} (expected: all), and no step of this program said so; see docs/runbook.md, "a search cluster places no shards"`,
        ]
      : []),
    ...(first && first.blocked.length > 0
      ? [
          `${name}: ${first.blocked.slice(0, 5).join(", ")} refuse(s) writes; see docs/runbook.md, "an index refuses writes"`,
        ]
      : []),
    ...snapshotDifferences(name, first?.newest, snapshots),
  ];
}

/** What a host's node is now, in one line for the operator. */
export function describeSearch(
  name: string,
  { look: { host, facts } }: Seen<SearchFacts>,
  expected?: SearchExpected,
): string {
  if (!facts) return "gave no answer";
  const trouble = panicWords(facts);
  if (expected && !Object.hasOwn(expected.nodes, host)) return [`writes to ${name}`, ...trouble].join(", ");
  if (!facts.active) return [`runs no node of ${name}`, ...trouble].join(", ");
  const { node, health, shards, leases } = facts;
  if (!node) return [`its node of ${name} gives no answer`, ...trouble].join(", ");
  const by = Object.entries(leases).map(([lease, whose]) => `${lease} changed by ${whose}`);
  return [
    `a node of ${name}, ${node.version}`,
    node.manager === null ? "sees no manager" : `manager ${node.manager}`,
    ...(health ? [`${health.status}, ${String(health.nodes)} nodes`] : []),
    ...(shards === null ? [] : [`${String(shards)} shards`]),
    ...(health && health.relocating > 0 ? [`${String(health.relocating)} moving`] : []),
    ...(health && health.unassigned > 0 ? [`${String(health.unassigned)} without a place`] : []),
    ...newestWords(facts.newest, expected?.snapshots),
    ...by,
    ...trouble,
  ].join(", ");
}
