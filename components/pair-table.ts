import type { Row, Table } from "./table.ts";

/** A pair made ready from blank machines, or found so. Nothing here knows which machine is production. */
export const provisionTable: Table = [
  {
    phase: "packages",
    script: "pair/packages",
    on: "each",
    says: "PostgreSQL and the tools of the scripts are installed",
    deadlineSeconds: 900,
  },
  {
    phase: "configure",
    script: "pair/configure",
    on: "each",
    says: "each machine knows itself, its peer, the service address and the pair's secret",
    words: (keepers, host) =>
      Object.entries(keepers)
        .filter(([key]) => key.startsWith(`${host}.`))
        .map(([key, value]) => `${key.slice(host.length + 1)}=${value}`),
    deadlineSeconds: 120,
    stdin: "pair",
  },
  {
    phase: "init",
    script: "pair/init",
    on: "primary",
    says: "the nominal primary has a database cluster of this pair",
    deadlineSeconds: 300,
    stdin: "owner",
  },
  {
    phase: "base-copy",
    script: "pair/base-copy",
    on: "secondary",
    says: "the nominal secondary has a copy of it and streams",
    deadlineSeconds: 6 * 3600,
  },
];

const moveAddress: Row = {
  phase: "address",
  script: "move-address",
  on: "production",
  says: "the platform moves the service address",
  deadlineSeconds: 60,
  by: "platform",
};

const statusRow: Row = {
  phase: "status",
  script: "pair/status",
  on: "each",
  says: "the status file says what is so",
  words: (keepers, host) => [keepers[`status.${host}`] ?? ""],
  deadlineSeconds: 30,
};

/** Beside the status files, since nothing waits for it. */
const commitsRow: Row = {
  phase: "status",
  script: "pair/commits",
  on: "production",
  says: "commits are acknowledged as the config says",
  words: ({ commits }) => [commits ?? "asynchronous"],
  deadlineSeconds: 90,
};

function check(fromHost: boolean): Row {
  const row = {
    phase: "check",
    script: "pair/check",
    says: "the service address answers as production, and the standby streams if there is one",
    deadlineSeconds: 60,
  };
  return fromHost
    ? { ...row, on: "checksFrom", reads: true, stdin: "pair" }
    : { ...row, on: "operator", by: "operator" };
}

/** Who cuts the lost machine off: a command on the machine that runs `up`, an API of the platform, or nobody. */
export type FencedBy = "operator" | "platform" | "nobody";

/** One machine serves, the other is lost: nothing here runs on the lost one, or waits for it. */
export function aloneTable(options: {
  platformMovesAddress: boolean;
  checksFromHost: boolean;
  fencedBy: FencedBy;
}): Table {
  const { fencedBy } = options;
  return [
    ...(fencedBy === "nobody" ? [] : [isolate(fencedBy)]),
    {
      phase: "alone",
      script: "pair/alone",
      on: "production",
      says: "nothing of the other answers; production accepts writes and holds the service address",
      deadlineSeconds: 120,
      pointOfNoReturn: true,
      takes: "pair/isolate",
    },
    ...(options.platformMovesAddress ? [moveAddress] : []),
    { ...statusRow, mayBeSkipped: true },
    commitsRow,
    check(options.checksFromHost),
  ];
}

const isolate = (by: "operator" | "platform"): Row => ({
  phase: "isolate",
  script: "pair/isolate",
  on: "lost",
  says: "the lost machine is cut off, so that it can't serve beside the other",
  words: ({ lost }) => [lost ?? ""],
  deadlineSeconds: 120,
  by,
});

/** Who serves: the same rows in both directions, and from every half-done state. */
export function switchTable(options: { platformMovesAddress: boolean; checksFromHost: boolean }): Table {
  return [
    {
      phase: "ready",
      script: "pair/ready",
      on: "production",
      says: "the server that shall be production streams and is near",
      deadlineSeconds: 600,
    },
    {
      phase: "fence",
      script: "pair/fence",
      on: "standby",
      says: "the other accepts no write and has given up the service address",
      deadlineSeconds: 120,
    },
    {
      phase: "takeover",
      script: "pair/takeover",
      on: "production",
      says: "production has all that the other wrote, accepts writes and holds the service address",
      deadlineSeconds: 60,
      pointOfNoReturn: true,
    },
    ...(options.platformMovesAddress ? [moveAddress] : []),
    {
      phase: "follow",
      script: "pair/follow",
      on: "standby",
      says: "the other streams from production",
      deadlineSeconds: 3600,
    },
    statusRow,
    commitsRow,
    check(options.checksFromHost),
  ];
}
