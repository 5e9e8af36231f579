import type { Row, Table } from "../../transition/table.ts";

/** What a pair carries besides its database, as far as the tables depend on it. */
export interface CarriedRows {
  /** Directories or indexes, which are copied. */
  readonly files?: boolean;
  readonly services?: boolean;
  readonly checks?: boolean;
  /** The database is copied at intervals, not streamed. */
  readonly snapshot?: boolean;
}

/** What cuts the lost machine off: a command on the operator's machine, an API of the platform, or nothing (`nobody`). */
export type FencedBy = "operator" | "platform" | "nobody";

/** Whether an emergency stops when the latest data of a suspect machine cannot be copied. */
export type FinalSync = "required" | "attempt";

interface Options {
  readonly platformMovesAddress: boolean;
  readonly checksFromHost: boolean;
  readonly carried?: CarriedRows;
}

/** Makes one machine production: the same rows in both directions, and from every half-done state. */
export function switchTable(options: Options): Table {
  const { carried = {} } = options;
  return [
    {
      phase: "ready",
      script: "pair/require-ready",
      name: "ready",
      on: "production",
      says: "new production is streaming and at most `maxLagMiB` behind",
      deadlineSeconds: 600,
    },
    ...(carried.files ? [preCopyRow] : []),
    {
      phase: "fence",
      script: "pair/fence",
      on: "standby",
      says: "old production rejects writes and has released the service address",
      usersNotice: "the service address does not answer",
      deadlineSeconds: 120,
    },
    takeoverRow(Boolean(carried.files)),
    ...(options.platformMovesAddress ? [moveAddressRow] : []),
    ...(carried.services ? [servicesRow("production", { phase: "services", name: "services" })] : []),
    {
      phase: "follow",
      script: "pair/follow",
      on: "standby",
      says: "old production streams from new production",
      deadlineSeconds: 3600,
    },
    // A phase of its own: in the phase of a row that may take an hour, a row would wait too long for the lock.
    ...(carried.services ? [servicesRow("standby", { phase: "standby", name: "standby-services" })] : []),
    ...(carried.files ? [copyBackRow] : []),
    statusRow,
    commitsRow,
    checkServiceRow(options.checksFromHost),
    ...(carried.checks ? [checkProductionRow] : []),
    ...(carried.snapshot ? [pauseStandbyRow] : []),
  ];
}

/** Makes one machine production while the other is lost. No row runs on the lost machine or waits for it. */
export function aloneTable(options: Options & { fencedBy: FencedBy; finalSync?: FinalSync }): Table {
  const { fencedBy, carried = {}, finalSync } = options;
  return beganBefore([
    ...(finalSync === undefined ? [] : [finalSyncRow(finalSync)]),
    ...(fencedBy === "nobody" ? [] : [isolateRow(fencedBy)]),
    {
      phase: "alone",
      script: "pair/serve-alone",
      name: "alone",
      on: "production",
      says: "the lost machine does not answer; production accepts writes and holds the service address",
      deadlineSeconds: 120,
      pointOfNoReturn: true,
      usersServed: true,
      takes: "pair/isolate",
    },
    ...(options.platformMovesAddress ? [moveAddressRow] : []),
    ...(carried.services ? [servicesRow("production", { phase: "services", name: "services" })] : []),
    { ...statusRow, mayBeSkipped: true },
    commitsRow,
    checkServiceRow(options.checksFromHost),
    ...(carried.checks ? [checkProductionRow] : []),
  ]);
}

/** Users notice from the beginning what a lost machine no longer does. */
const beganBefore = ([first, ...rest]: Table): Table =>
  first
    ? [
        { ...first, usersNotice: "if the lost machine was production, the service address does not answer" },
        ...rest,
      ]
    : [];

function takeoverRow(files: boolean): Row {
  return {
    phase: "takeover",
    script: "pair/takeover",
    on: "production",
    says: files
      ? "new production has all writes, files and indexes of old production, accepts writes and holds the service address"
      : "new production has all writes of old production, accepts writes and holds the service address",
    ...(files ? { words: () => ["files"], deadlineSeconds: 900 } : { deadlineSeconds: 60 }),
    pointOfNoReturn: true,
    usersServed: true,
  };
}

const moveAddressRow: Row = {
  phase: "address",
  script: "move-address",
  on: "production",
  says: "the platform moves the service address to production",
  usersServed: true,
  deadlineSeconds: 60,
  by: "platform",
};

const statusRow: Row = {
  phase: "status",
  script: "pair/write-status",
  name: "status",
  on: "each",
  says: "status file updated",
  words: (keepers, host) => [keepers[`status.${host}`] ?? ""],
  deadlineSeconds: 30,
};

/** In the phase of the status files, since no row waits for it. */
const commitsRow: Row = {
  phase: "status",
  script: "pair/set-commit-mode",
  name: "status-commits",
  on: "production",
  says: "commits on production wait for the standby only if `synchronous` is set",
  words: ({ commits }) => [commits ?? "asynchronous"],
  deadlineSeconds: 90,
  // An emergency comes before the provisioning that makes the role of its check.
  stdin: "checks",
};

/** While old production still serves: what is copied now shortens the outage. */
const preCopyRow: Row = {
  phase: "near",
  script: "pair/copy-files",
  name: "near-copy",
  on: "production",
  says: "new production has a first copy of directories and indexes, so that the last copy is short",
  words: () => ["near"],
  deadlineSeconds: 6 * 3600,
};

const copyBackRow: Row = {
  phase: "back",
  script: "pair/copy-files",
  name: "back-copy",
  on: "standby",
  says: "old production has copied directories and indexes from new production",
  words: () => ["near"],
  deadlineSeconds: 6 * 3600,
};

const servicesRow = (on: "production" | "standby", place: Pick<Row, "phase" | "name">): Row => ({
  ...place,
  script: "pair/start-services",
  on,
  says:
    on === "production"
      ? "services of production run on production"
      : "the standby runs its services, and none of production's",
  words: () => [on],
  ...(on === "production" ? { usersServed: true } : {}),
  deadlineSeconds: 180,
});

const pauseStandbyRow: Row = {
  phase: "apart",
  script: "pair/pause-standby",
  name: "apart",
  on: "standby",
  says: "the standby does not stream until its next copy",
  deadlineSeconds: 90,
};

const checkProductionRow: Row = {
  phase: "check",
  script: "pair/check-production",
  name: "check-checks",
  on: "production",
  says: "every service, port, page and log of the config passes its check on production",
  deadlineSeconds: 120,
  reads: true,
};

function checkServiceRow(fromHost: boolean): Row {
  const row = {
    phase: "check",
    script: "pair/check-service",
    name: "check",
    says: "the service address accepts writes, and the standby streams if there is one",
    deadlineSeconds: 60,
  };
  return fromHost
    ? { ...row, on: "checksFrom", reads: true, stdin: "checks" }
    : { ...row, on: "operator", by: "operator" };
}

const finalSyncRow = (finalSync: FinalSync): Row => ({
  phase: "grab",
  script: "pair/final-sync",
  name: "grab",
  on: "production",
  says: "the latest data is copied from the suspect machine, as far as it answers",
  words: ({ grab }) => [grab ?? finalSync],
  deadlineSeconds: 300,
});

const isolateRow = (by: "operator" | "platform"): Row => ({
  phase: "isolate",
  script: "pair/isolate",
  on: "lost",
  says: "the lost machine is cut off and cannot accept writes",
  words: ({ lost }) => [lost ?? ""],
  deadlineSeconds: 120,
  by,
});
