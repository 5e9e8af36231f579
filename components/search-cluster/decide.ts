import {
  type Check,
  decideEach,
  type Decision,
  isOpen,
  type Look as LookOf,
  onlyOn,
  type RecordFacts,
  type Wanted,
} from "../../transition/decide.ts";

/** What one host reports of its node and of the cluster as it sees it: the output of `scripts/search/probe.py`. */
export interface SearchFacts extends RecordFacts {
  readonly host: string;
  /** The uuid of the cluster that was formed here; null: none was. */
  readonly formed: string | null;
  /** The configuration that the process was started with, the one that is next, and the reason of its last bounce. */
  readonly running: string | null;
  readonly next: string | null;
  readonly bounced: string | null;
  readonly active: boolean;
  /** The node's own answer; null: it gives none. */
  readonly node: {
    readonly version: string;
    readonly uuid: string;
    /** The manager that it sees; null: none. */
    readonly manager: string | null;
  } | null;
  readonly health: {
    readonly status: string;
    readonly nodes: number;
    readonly relocating: number;
    readonly unassigned: number;
    readonly delayed: number;
  } | null;
  /** Names of the nodes in the voting configuration, and which of them are in the cluster. */
  readonly voters: readonly string[];
  readonly voters_alive: readonly string[];
  /** Snapshots and restores that run. */
  readonly snapshots: readonly string[];
  /** Indexes whose every shard has one copy, and indexes that refuse writes. */
  readonly without_replica: readonly string[];
  readonly blocked: readonly string[];
  /** What the cluster may place now: all, primaries, none… */
  readonly allocation: string | null;
  /** Changes for a while that are on record: by lease, whose they are. */
  readonly leases: Readonly<Record<string, string>>;
  /** Shard copies on this node, and their size. */
  readonly shards: number | null;
  readonly rules: "loaded" | "unwatched" | "missing" | null;
  /** Other programs at the node's ports. */
  readonly in_the_way: readonly string[];
  readonly memory_mib: number | null;
}

export type Look = LookOf<SearchFacts>;

export interface HostWanted extends Wanted {
  readonly heapMiB: Readonly<Record<string, number>>;
  readonly cluster: string;
}

export interface FormWanted extends Wanted {
  readonly managers: readonly string[];
}

export interface MemberWanted extends Wanted {
  readonly node: string;
  readonly state: "in" | "drained" | "out";
  readonly singleManager: boolean;
}

export interface RollWanted extends Wanted {
  readonly engine: string;
  readonly version: string;
  readonly nodes: readonly string[];
  readonly accepted: readonly string[];
  readonly singleManager: boolean;
}

/** A version as numbers that compare. */
const numbers = (version: string): readonly number[] => version.split(".").map(Number);

/** Below 0: the first version is older. */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [numbers(one), numbers(other)];
  const place = a.findIndex((part, index) => part !== b[index]);
  return place < 0 ? 0 : (a[place] ?? 0) - (b[place] ?? 0);
}

const listed = (names: readonly string[]): string =>
  names.length > 5
    ? `${names.slice(0, 5).join(", ")} and ${String(names.length - 5)} more`
    : names.join(", ");

const forHost: readonly Check<SearchFacts, HostWanted>[] = [
  ({ in_the_way }) =>
    in_the_way.length > 0 &&
    `has ${in_the_way.join(" and ")}, which is no node of this cluster; stop it, or name other ports`,
  ({ memory_mib: has, host, active }, _, { heapMiB }) => {
    const heap = heapMiB[host] ?? 0;
    return (
      !active &&
      has !== null &&
      has < 1.3 * heap &&
      `has ${String(has)} MiB of memory free (needed: ${(1.3 * heap).toFixed(0)} MiB for a heap of ${String(heap)} MiB); lower heapMiB, or free memory`
    );
  },
];

/** Whether hosts may get their node's version and settings. */
export const decideHosts = (looks: readonly Look[], wanted: HostWanted): Decision =>
  decideEach(looks, wanted, forHost);

/** Whether the managers may form the cluster: none belongs to another one. */
export function decideForm(looks: readonly Look[], wanted: FormWanted): Decision {
  const decision = decideEach<SearchFacts, FormWanted>(looks, wanted);
  const formed = new Map<string, string[]>();
  for (const { host, facts } of looks)
    if (facts?.formed) formed.set(facts.formed, [...(formed.get(facts.formed) ?? []), host]);
  if (formed.size < 2) return decision;
  const clusters = [...formed].map(([uuid, hosts]) => `${hosts.join(", ")} of ${uuid}`);
  return {
    ...decision,
    refusals: [
      ...decision.refusals,
      `the hosts belong to ${String(formed.size)} clusters: ${clusters.join("; ")}; they can't become one; see docs/runbook.md, "two search clusters"`,
    ],
  };
}

/** A node that has joined: it answers, and sees a manager. */
const hasJoined = (facts: SearchFacts | undefined): boolean => (facts?.node?.manager ?? null) !== null;

/** A majority of the voters is left without this node. */
function votesWithout(facts: SearchFacts, node: string, singleManager: boolean): string | false {
  const { voters, voters_alive: alive } = facts;
  if (!voters.includes(node) || singleManager) return false;
  const left = alive.filter((name) => name !== node).length;
  return (
    2 * left <= voters.length &&
    `is one of ${String(voters.length)} voters, of which ${String(left)} would be left (needed: more than half); start ${listed(voters.filter((name) => !alive.includes(name))) || "one more manager"} first`
  );
}

const forMember: readonly Check<SearchFacts, MemberWanted>[] = [
  (facts, _, { node, state, singleManager }) => state === "out" && votesWithout(facts, node, singleManager),
  ({ snapshots }, _, { state }) =>
    state !== "in" &&
    snapshots.length > 0 &&
    `can't lose its shards while ${listed(snapshots)} runs; wait for its end, then run again`,
];

/** Whether a node may enter or leave. */
export const decideMember = (looks: readonly Look[], wanted: MemberWanted): Decision =>
  decideEach(
    looks,
    wanted,
    onlyOn(({ node }: MemberWanted) => node, forMember),
  );

const forRoll: readonly Check<SearchFacts, RollWanted>[] = [
  // Half-way a node may be stopped, and its row starts it.
  (facts, _, __) =>
    !isOpen(facts) &&
    !hasJoined(facts) &&
    (facts.node
      ? 'sees no manager; see docs/runbook.md, "a search node sees no manager"'
      : "gives no answer as a node; start it: npm run verify says what it needs"),
  ({ node }, _, { version }) =>
    node !== null &&
    compareVersions(version, node.version) < 0 &&
    `runs ${node.version}, and no node goes back to ${version}: its data is of the newer version; allowed: ${node.version} or newer, or a snapshot that is restored in another cluster`,
  ({ node }, _, { version }) =>
    node !== null &&
    (numbers(version)[0] ?? 0) - (numbers(node.version)[0] ?? 0) > 1 &&
    `runs ${node.version}, and can't skip a major version to ${version}; upgrade to the last version between first`,
  (facts, { host }, { singleManager }) => !isOpen(facts) && votesWithout(facts, host, singleManager),
];

/** Refusals that every node would say in the same words: the cluster's own. */
function ofCluster(looks: readonly Look[], { accepted, nodes }: RollWanted): string[] {
  const facts = looks.map((look) => look.facts).find(hasJoined);
  if (!facts) return [];
  const bare = facts.without_replica.filter((index) => !index.startsWith(".") && !accepted.includes(index));
  const open = looks.some((look) => isOpen(look.facts));
  return [
    ...(bare.length > 0
      ? [
          `indexes without a replica would be red while their node restarts: ${listed(bare)}; give them a replica, or name them in \`accept\` with a reason`,
        ]
      : []),
    ...(facts.snapshots.length > 0
      ? [`${listed(facts.snapshots)} runs; wait for its end, then run again`]
      : []),
    ...(facts.health?.status === "red" && !open
      ? ['the cluster is red: a primary is missing; see docs/runbook.md, "the search cluster is red"']
      : []),
    ...(facts.health && facts.health.nodes < nodes.length && !open
      ? [
          `the cluster has ${String(facts.health.nodes)} nodes (expected: ${String(nodes.length)}); start the missing ones first`,
        ]
      : []),
  ];
}

/** Whether the nodes may restart one after the other. */
export function decideRoll(looks: readonly Look[], wanted: RollWanted): Decision {
  const decision = decideEach(looks, wanted, forRoll);
  const blocked = looks.flatMap(({ facts }) => facts?.blocked ?? []);
  return {
    ...decision,
    refusals: [...decision.refusals, ...ofCluster(looks, wanted)],
    notes: [
      ...decision.notes,
      ...(blocked.length > 0 ? [`indexes that refuse writes now: ${listed([...new Set(blocked)])}`] : []),
    ],
  };
}

/** Whether an index may become another version: the node that is asked is in a cluster without a missing primary. */
export const decideIndex = (looks: readonly Look[], wanted: Wanted): Decision =>
  decideEach<SearchFacts, Wanted>(looks, wanted, [
    (facts) => !hasJoined(facts) && 'sees no manager; see docs/runbook.md, "a search node sees no manager"',
    ({ health }) =>
      health?.status === "red" &&
      'is in a cluster that is red: a primary is missing; see docs/runbook.md, "the search cluster is red"',
  ]);

/** The file in which a preflight finds these functions. */
export const decides = import.meta.filename;
export const deciders = {
  host: decideHosts,
  form: decideForm,
  member: decideMember,
  roll: decideRoll,
  index: decideIndex,
};
