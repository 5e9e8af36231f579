import type { Row, Table } from "../../transition/table.ts";

/** What a pair carries besides its database, as far as the tables differ by it. */
export interface CarriedRows {
  /** Directories or indexes, which are copied. */
  readonly files?: boolean;
  readonly services?: boolean;
  readonly checks?: boolean;
  /** The database is copied now and then, and not streamed. */
  readonly snapshot?: boolean;
}

/** A pair made ready from blank machines, or found so. Nothing here knows which machine is production. */
export function provisionTable(options: { software?: string; carries?: boolean } = {}): Table {
  const { software, carries } = options;
  return [
    ...machineRows,
    ...(software === undefined ? [] : [softwareRow(software)]),
    ...clusterRows,
    ...(carries ? [carryRow] : []),
  ];
}

const softwareRow = (script: string): Row => ({
  phase: "software",
  script,
  software: true,
  on: "each",
  says: "the software of the pair is on the machine",
  deadlineSeconds: 900,
  stdin: "owner",
});

const carryRow: Row = {
  phase: "carry",
  script: "pair/carry",
  on: "each",
  says: "each machine offers what it carries to the other, copies it by a timer, and runs what its role runs",
  deadlineSeconds: 180,
};

const machineRows: Table = [
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
    words: (keepers, host) => [
      ...Object.entries(keepers)
        .filter(([key]) => key.startsWith(`${host}.`))
        .map(([key, value]) => `${key.slice(host.length + 1)}=${value}`),
      // No host has an underscore in its name.
      ...Object.entries(keepers)
        .filter(([key]) => key.startsWith("both_carry."))
        .map(([key, value]) => `carries.${key.slice("both_carry.".length)}=${value}`),
    ],
    deadlineSeconds: 120,
    stdin: "pair",
  },
];

const clusterRows: Table = [
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

/** While the other still serves: what is copied now makes the time without service shorter. */
const nearRow: Row = {
  phase: "near",
  script: "pair/copy",
  on: "production",
  says: "directories and indexes are copied while the other serves, so that the last copy is short",
  words: () => ["near"],
  deadlineSeconds: 6 * 3600,
};

const copyBackRow: Row = {
  phase: "back",
  script: "pair/copy",
  on: "standby",
  says: "the other copies from production from now on",
  words: () => ["near"],
  deadlineSeconds: 6 * 3600,
};

const services = (on: "production" | "standby", phase: string): Row => ({
  phase,
  script: "pair/services",
  on,
  says: `what ${on === "production" ? "production" : "a standby"} runs beside its database is running`,
  words: () => [on],
  deadlineSeconds: 180,
});

const apartRow: Row = {
  phase: "apart",
  script: "pair/apart",
  on: "standby",
  says: "the standby stands still until its next copy",
  deadlineSeconds: 90,
};

const checksRow: Row = {
  phase: "check",
  script: "pair/checks",
  on: "production",
  says: "every service, port, page and log of the list is there, seen from production",
  deadlineSeconds: 120,
  reads: true,
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

/** Whether nothing goes on without the latest data of a machine that is sick. */
export type Grab = "required" | "attempt";

const grabRow = (grab: Grab): Row => ({
  phase: "grab",
  script: "pair/grab",
  on: "production",
  says: "what the sick machine still gives of the latest data is got",
  words: ({ grab: kept }) => [kept ?? grab],
  deadlineSeconds: 300,
});

/** One machine serves, the other is lost: nothing here runs on the lost one, or waits for it. */
export function aloneTable(options: {
  platformMovesAddress: boolean;
  checksFromHost: boolean;
  fencedBy: FencedBy;
  carried?: CarriedRows;
  grab?: Grab;
}): Table {
  const { fencedBy, carried = {}, grab } = options;
  return [
    ...(grab === undefined ? [] : [grabRow(grab)]),
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
    ...(carried.services ? [services("production", "services")] : []),
    { ...statusRow, mayBeSkipped: true },
    commitsRow,
    check(options.checksFromHost),
    ...(carried.checks ? [checksRow] : []),
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
export function switchTable(options: {
  platformMovesAddress: boolean;
  checksFromHost: boolean;
  carried?: CarriedRows;
}): Table {
  const { carried = {} } = options;
  return [
    {
      phase: "ready",
      script: "pair/ready",
      on: "production",
      says: "the server that shall be production streams and is near",
      deadlineSeconds: 600,
    },
    ...(carried.files ? [nearRow] : []),
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
      says: carried.files
        ? "production has every file and index of the other (a dry run shows no difference) and all that it wrote, accepts writes and holds the service address"
        : "production has all that the other wrote, accepts writes and holds the service address",
      ...(carried.files ? { words: () => ["files"], deadlineSeconds: 900 } : { deadlineSeconds: 60 }),
      pointOfNoReturn: true,
    },
    ...(options.platformMovesAddress ? [moveAddress] : []),
    ...(carried.services ? [services("production", "services")] : []),
    {
      phase: "follow",
      script: "pair/follow",
      on: "standby",
      says: "the other streams from production",
      deadlineSeconds: 3600,
    },
    // In a phase of its own: beside one that may take an hour it would not get the machine's lock.
    ...(carried.services ? [services("standby", "standby")] : []),
    ...(carried.files ? [copyBackRow] : []),
    statusRow,
    commitsRow,
    check(options.checksFromHost),
    ...(carried.checks ? [checksRow] : []),
    ...(carried.snapshot ? [apartRow] : []),
  ];
}
