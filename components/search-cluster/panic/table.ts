import type { Keepers, Row, Table } from "../../../transition/table.ts";
import type { TableArgs } from "../table.ts";

const unitsOf = (keepers: Keepers, host: string): readonly string[] =>
  (keepers[`units.${host}`] ?? "").split("+").filter(Boolean);

/** A unit of systemd has its own time to stop, and a start is waited for. */
const writersSeconds = 600;

/** Nothing is written until the pause ends. */
export const pauseTable = ({ cluster }: TableArgs): Table => [
  {
    phase: "pause",
    script: "search/pause-writers",
    name: "pause",
    on: "writers",
    says: "the units that write are stopped, those that ran are recorded, and none starts again, not even at a reboot",
    limits: [cluster, "pause"],
    words: (keepers, host) => [keepers.reason ?? "", ...unitsOf(keepers, host)],
    deadlineSeconds: writersSeconds,
    usersNotice: "nothing is written to the search cluster",
  },
  {
    phase: "still",
    script: "search/check-still",
    name: "still",
    on: "asker",
    says: "for 3 s nothing was written to any index; who still writes is named by the index that grows",
    limits: [cluster],
    deadlineSeconds: 120,
  },
];

const resume = (cluster: string, by: "pause" | "rescue"): Row => ({
  phase: "resume",
  script: "search/resume-writers",
  name: "resume",
  on: "writers",
  says: "exactly the units that ran before run again, in their order; while another reason stands they stay stopped",
  limits: [cluster, by],
  deadlineSeconds: writersSeconds,
  usersServed: true,
});

/** The pause ends. Where nothing was paused nothing is done. */
export const resumeTable = ({ cluster }: TableArgs): Table => [resume(cluster, "pause")];

/** The cluster is brought up, in the order of the team's page: pause, hold allocation, start nodes, let go, resume. */
export function rescueTable(
  args: TableArgs & { readonly order: readonly string[]; readonly writers: boolean },
): Table {
  const { cluster, order, start, stop, cover } = args;
  const node = (turn: "first" | "then", host: string): Row => ({
    phase: `${turn}-${host}`,
    script: "search/rescue-node",
    name: turn,
    on: `node-${host}`,
    says:
      turn === "first"
        ? `${host} is started if the others need it first: no manager, or a red shard has a copy on its disk`
        : `${host} is started if it is not in; one that does not come up is named with its reason, and the next one follows`,
    limits: [cluster, turn],
    deadlineSeconds: 2 * start + stop + 420,
  });
  return [
    ...(args.writers
      ? [
          {
            phase: "pause",
            script: "search/pause-writers",
            name: "pause",
            on: "writers",
            says: "the units that write are stopped, and those that ran are recorded",
            limits: [cluster, "rescue"],
            words: ({ rescue = "" }: Keepers) => [rescue],
            deadlineSeconds: writersSeconds,
            usersNotice: "nothing is written to the search cluster",
          },
        ]
      : []),
    {
      phase: "begin",
      script: "search/begin-rescue",
      name: "begin",
      on: "asker",
      says: "what is broken is said; shards stay where they are while nodes start, for 45 s without a step",
      limits: [cluster],
      deadlineSeconds: 240,
    },
    ...order.map((host) => node("first", host)),
    ...order.map((host) => node("then", host)),
    {
      phase: "end",
      script: "search/end-rescue",
      name: "end",
      on: "asker",
      says: "allocation is as it was found, failed copies are tried again, and the shards have settled; else why it stays red",
      limits: [cluster],
      deadlineSeconds: cover + 300,
    },
    ...(args.writers ? [resume(cluster, "rescue")] : []),
  ];
}

/** Searches that run for long end. */
export const cancelTable = ({ cluster }: TableArgs): Table => [
  {
    phase: "cancel",
    script: "search/cancel-queries",
    name: "cancel",
    on: "asker",
    says: "searches that ran longer than slowSeconds are named and have ended; nothing else was touched",
    limits: [cluster],
    words: ({ slow_seconds: seconds = "" }) => [seconds],
    deadlineSeconds: 180,
  },
];

const ruleWords = ({ index, query, field, days, limit, snapshot }: Keepers): readonly string[] =>
  Object.entries({ index, query, field, days, limit, snapshot }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${value}`],
  );

/** Old documents go, counted first. */
export const deleteTable = ({ cluster }: TableArgs): Table => [
  {
    phase: "count",
    script: "search/count-documents",
    name: "count",
    on: "asker",
    says: "how many documents match, by index; refused above the limit, all of an index, or without a fresh snapshot",
    limits: [cluster],
    words: ruleWords,
    deadlineSeconds: 300,
  },
  {
    phase: "delete",
    script: "search/delete-documents",
    name: "delete",
    on: "asker",
    says: "documents that match are deleted page by page, and none is left; what was written meanwhile stays",
    limits: [cluster],
    words: ruleWords,
    deadlineSeconds: 6 * 3600,
    pointOfNoReturn: true,
  },
];
