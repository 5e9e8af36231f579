import type { Keepers, Row, Table } from "../../../transition/table.ts";

/** What the scripts of an index need to know beside its goal. */
export interface IndexTableArgs {
  readonly cluster: string;
  readonly alias: string;
  readonly how: "reindex" | "update" | "import";
  readonly maxBlockSeconds: number;
  readonly keepOld: number;
  readonly docsPerSecond: number;
}

/** A copy goes on in the cluster, and so does an update of all documents: twelve hours of it are waited for. */
const copySeconds = 12 * 3600 + 600;
/** Changes that came while it was copied are caught up with before writes are refused. */
const swapSeconds = 3600 + 600;

const all = ({ version = "", sha256 = "", how = "", from = "-" }: Keepers): readonly string[] => [
  version,
  sha256,
  how,
  from,
];
const goal = ({ version = "", how = "", from = "-" }: Keepers): readonly string[] => [version, how, from];

/** Programs get another version of an index: they notice nothing but refused writes for a moment. */
export function indexTable(args: IndexTableArgs): Table {
  const { cluster, alias } = args;
  const row = (name: string, rest: Pick<Row, "says" | "deadlineSeconds"> & Partial<Row>): Row => ({
    phase: name,
    script: `search/${name}-index`,
    name,
    on: "asker",
    limits: [cluster, alias],
    words: goal,
    ...rest,
  });
  const check = row("check", {
    says: "the body is right, nothing else has the names, and a second copy fits below the low watermark",
    words: all,
    deadlineSeconds: 120,
  });
  if (args.how === "update")
    return [
      check,
      row("update", {
        says: "the index has the new fields, and every document is indexed anew",
        limits: [cluster, alias, String(args.docsPerSecond)],
        words: ({ version = "", sha256 = "" }) => [version, sha256],
        deadlineSeconds: copySeconds,
      }),
    ];
  return [
    check,
    row("create", {
      says: "the new index is there; programs use the old one",
      words: all,
      deadlineSeconds: 300,
    }),
    row("copy", {
      says: "the documents are copied by a task of the cluster, and what changed meanwhile",
      limits: [cluster, alias, String(args.docsPerSecond)],
      deadlineSeconds: copySeconds,
    }),
    row("swap", {
      says: "both are compared, and the alias names the new index; writes are refused for a moment",
      limits: [cluster, alias, String(args.maxBlockSeconds)],
      deadlineSeconds: swapSeconds,
      ...(args.how === "reindex"
        ? { usersNotice: "writes are refused for a moment", usersServed: true }
        : {}),
    }),
    row("clean", {
      says: "copies that never served and old indexes beyond `keepOld` are deleted",
      limits: [cluster, alias, String(args.keepOld)],
      words: ({ version = "" }) => [version],
      deadlineSeconds: 300,
    }),
  ];
}
