import { type Keepers, type Row, type Table, withPrefix } from "../../transition/table.ts";

/** What the scripts of a cluster need to know beside its goal. */
export interface TableArgs {
  readonly cluster: string;
  /** Seconds. */
  readonly stop: number;
  readonly start: number;
  readonly cover: number;
}

/** Archives are unpacked, and a large one is fetched. */
const stageSeconds = 900;

const text = (keepers: Keepers, key: string): string => keepers[key] ?? "";

/** Every host has the version, the settings and the unit of its node. Nothing starts or stops. */
export const hostTable = ({ cluster }: TableArgs): Table => [
  {
    phase: "packages",
    script: "search/packages",
    name: "packages",
    on: "each",
    says: "Java and the tools of the scripts are installed",
    deadlineSeconds: 900,
  },
  {
    phase: "stage",
    script: "search/stage-version",
    name: "stage",
    on: "each",
    says: "the version is unpacked beside the one that runs",
    limits: [cluster],
    words: (keepers) => [text(keepers, "version"), text(keepers, "sha256")],
    deadlineSeconds: stageSeconds,
  },
  {
    phase: "configure",
    script: "search/configure-node",
    name: "configure",
    on: "each",
    says: "user, folders, unit, closed ports and the next configuration are in place; nothing starts or stops",
    limits: [cluster],
    words: (keepers, host) => [
      `node=${host}`,
      `version=${text(keepers, "version")}`,
      `sha256=${text(keepers, "sha256")}`,
      ...withPrefix(keepers, "conf."),
      ...withPrefix(keepers, `own.${host}.`),
    ],
    deadlineSeconds: 120,
  },
  {
    phase: "classes",
    script: "search/archive-classes",
    name: "classes",
    on: "each",
    says: "Java has an archive of the version's classes, made on loopback; a node starts in less than half the time",
    limits: [cluster, "next"],
    deadlineSeconds: 300,
  },
  {
    phase: "watch",
    script: "search/install-watch",
    name: "watch",
    on: "each",
    says: "a timer of the host puts back settings of the cluster that a step of this program left",
    limits: [cluster],
    deadlineSeconds: 60,
  },
];

/** The cluster exists: once. */
export const formTable = ({ cluster, start }: TableArgs): Table => [
  {
    phase: "form",
    script: "search/form-cluster",
    name: "form",
    on: "managers",
    says: "the managers form the cluster and elect one; a cluster that was formed before stays as it is",
    limits: [cluster],
    deadlineSeconds: start + 120,
  },
];

/** A node serves. */
export const enterTable = ({ cluster, start, stop, cover }: TableArgs): Table => [
  {
    phase: "start",
    script: "search/start-node",
    name: "start",
    on: "node",
    says: "the node runs, has joined, and may hold shards",
    limits: [cluster],
    deadlineSeconds: start + 60,
  },
  {
    phase: "return",
    script: "search/cancel-drain",
    name: "return",
    on: "node",
    says: "the cluster may place shards on the node; exclusions of others stay",
    limits: [cluster],
    words: ({ node = "" }) => [node],
    deadlineSeconds: 120,
  },
  {
    phase: "apply",
    script: "search/bounce-node",
    name: "apply",
    on: "node",
    says: "the node restarts unless it has these roles and this zone; each of its shards has another copy meanwhile",
    limits: [cluster, "next", "-"],
    deadlineSeconds: bounceSeconds({ start, stop, cover }),
  },
];

/** Other nodes are waited for, a snapshot that runs, and the cover; a node that does not come back is started once more. */
const bounceSeconds = ({ stop, start, cover }: Omit<TableArgs, "cluster">): number =>
  cover + 2 * stop + 2 * start + 600;

const beginDrain = (cluster: string): Row => ({
  phase: "begin",
  script: "search/begin-drain",
  name: "begin",
  on: "node",
  says: "it fits on the other nodes, and the cluster moves each shard away from the node",
  limits: [cluster],
  words: ({ node = "" }) => [node],
  deadlineSeconds: 120,
});

/** A node runs and holds no shard. The drain itself goes on between updates. */
export const drainTable = ({ cluster, start }: TableArgs): Table => [
  {
    phase: "start",
    script: "search/start-node",
    name: "start",
    on: "node",
    says: "the node runs and has joined",
    limits: [cluster],
    deadlineSeconds: start + 60,
  },
  beginDrain(cluster),
];

/** How far a drain is; what blocks it is named, and the cluster is told to try again. */
export const progressTable = ({ cluster }: TableArgs): Table => [
  {
    phase: "progress",
    script: "search/show-drain",
    name: "progress",
    on: "node",
    says: "how far the drain is, how fast, until when, and what blocks it",
    limits: [cluster],
    words: ({ node = "" }) => [node],
    deadlineSeconds: 120,
  },
];

/** A node leaves. */
export function leaveTable(
  args: TableArgs & { readonly manager: boolean; readonly waitMinutes: number },
): Table {
  const { cluster, stop } = args;
  const node = ({ node: own = "" }: Keepers): readonly string[] => [own];
  return [
    beginDrain(cluster),
    {
      phase: "wait",
      script: "search/wait-drained",
      name: "wait",
      on: "node",
      says: "no shard is on the node, and none waits for a place",
      limits: [cluster],
      words: node,
      deadlineSeconds: 60 * args.waitMinutes + 120,
    },
    ...(args.manager
      ? [
          {
            phase: "votes",
            script: "search/leave-votes",
            name: "votes",
            on: "node",
            says: "the node has no vote, and another one is the manager",
            limits: [cluster],
            words: node,
            deadlineSeconds: 180,
          },
        ]
      : []),
    {
      phase: "stop",
      script: "search/stop-node",
      name: "stop",
      on: "node",
      says: "the node is stopped and does not start again; its data stays",
      limits: [cluster],
      deadlineSeconds: stop + 60,
    },
    {
      phase: "end",
      script: "search/end-membership",
      name: "end",
      on: "asker",
      says: "the cluster has no exclusion of the node left",
      limits: [cluster],
      words: node,
      deadlineSeconds: 120,
    },
  ];
}

/** A lost node is given up: nothing runs on it, and its entries in the cluster are taken away. */
export const lostTable = (
  args: TableArgs & { readonly manager: boolean; readonly waitMinutes: number },
): Table => leaveTable(args).filter(({ on }) => on === "asker");

/** One after the other each node restarts with the version, the settings and the reason of the goal. */
export function rollTable(
  args: TableArgs & {
    readonly order: readonly string[];
    /** Of these, nodes of spot zones without a vote: they hold nothing in a cleared zone, so they restart side by side. */
    readonly spot: readonly string[];
    /** `clearSpot` of the entry alone: nodes that come and go are no reason for other rows. */
    readonly clears: boolean;
    /** The version is another one: from the first node on there is no way back. */
    readonly upgrades: boolean;
    /** Rows that come before anything stops. */
    readonly first?: readonly Row[];
  },
): Table {
  const { cluster, order } = args;
  const bounce = (host: string, index: number): Row => ({
    phase: args.clears && args.spot.includes(host) ? "bounce-spot" : `bounce-${host}`,
    script: "search/bounce-node",
    name: "bounce",
    on: `node-${host}`,
    says: `${host} restarts unless it runs all this already; each of its shards has another started copy meanwhile`,
    limits: [cluster, "next"],
    words: ({ bounce: reason = "-" }) => [reason],
    deadlineSeconds: bounceSeconds(args),
    ...(args.upgrades && index === 0 ? { pointOfNoReturn: true } : {}),
  });
  return [
    {
      phase: "try",
      script: "search/try-plan",
      name: "try",
      on: "asker",
      says: "the new configuration starts beside the node, on its own and without data; a bad line is found here",
      limits: [cluster, "next"],
      deadlineSeconds: args.start + 60,
    },
    ...(args.first ?? []),
    ...(args.clears ? [spotRow(cluster, "clear")] : []),
    ...order.map(bounce),
    ...(args.clears ? [spotRow(cluster, "return")] : []),
    {
      phase: "check",
      script: "search/check-cluster",
      name: "check",
      on: "asker",
      says: "all nodes see one manager, each shard has its copies, and the settings are as they were found",
      limits: [cluster],
      deadlineSeconds: args.cover + 60,
    },
  ];
}

const spotRow = (cluster: string, what: "clear" | "return"): Row => ({
  phase: `${what}-spot`,
  script: `search/${what}-spot`,
  name: `${what}-spot`,
  on: "asker",
  says:
    what === "clear"
      ? "no shard is on a node of a spot zone, and none waits for a place"
      : "shards may be on nodes of spot zones again; the settings are as they were found",
  limits: [cluster],
  deadlineSeconds: 3600,
});
