import type { Estate } from "./estate.ts";

/** The scripts of a switch by the step that runs them; each runs on one host or on both. */
export const hostSteps = {
  claim: "claim",
  ready: "pair/require-ready",
  fence: "pair/fence",
  takeover: "pair/takeover",
  follow: "pair/follow",
  status: "pair/write-status",
  commits: "pair/set-commit-mode",
  done: "done",
} as const;

export type HostStep = keyof typeof hostSteps;

/** Those that a switch has besides when the pair carries files and services. */
export const carriedSteps = {
  copy: "pair/copy-files",
  services: "pair/start-services",
  apart: "pair/pause-standby",
} as const;

export type CarriedStep = keyof typeof carriedSteps;

/** The same of a switch without the other machine. */
export const aloneSteps = {
  claim: "claim",
  alone: "pair/serve-alone",
  status: "pair/write-status",
  done: "done",
} as const;

export type AloneStep = keyof typeof aloneSteps;

/** The scripts of a pool's release, of its members' ways in and out, and of a cut-over. */
export const poolSteps = {
  claim: "claim",
  stage: "app/stage-release",
  drain: "haproxy/drain",
  release: "app/run-release",
  enter: "haproxy/enter",
  done: "done",
  want: "haproxy/record-membership",
  page: "haproxy/set-maintenance",
  close: "app/set-maintenance",
  apache: "apache/serve-site",
  haproxy: "haproxy/serve-site",
} as const;

export type PoolStep = keyof typeof poolSteps;

/** The scripts of a staged upgrade. */
export const upgradeSteps = {
  claim: "claim",
  fetch: "upgrade/fetch-package",
  silence: "upgrade/silence-alerts",
  backup: "upgrade/backup-database",
  trial: "upgrade/try-restore",
  stop: "upgrade/stop-services",
  package: "upgrade/install-package",
  restore: "upgrade/restore-database",
  rest: "upgrade/require-stopped",
  reconfigure: "upgrade/reconfigure-host",
  health: "upgrade/require-healthy",
  smoke: "upgrade/run-smoke-test",
  green: "upgrade/record-green",
  done: "done",
} as const;

export type UpgradeStep = keyof typeof upgradeSteps;

/** The scripts of a search cluster. */
export const searchSteps = {
  claim: "claim",
  configure: "search/configure-node",
  try: "search/try-plan",
  clear: "search/clear-spot",
  bounce: "search/bounce-node",
  return: "search/return-spot",
  check: "search/check-cluster",
  start: "search/start-node",
  cancel: "search/cancel-drain",
  begin: "search/begin-drain",
  wait: "search/wait-drained",
  votes: "search/leave-votes",
  halt: "search/stop-node",
  end: "search/end-membership",
  "create index": "search/create-index",
  "copy index": "search/copy-index",
  "swap index": "search/swap-index",
  "clean index": "search/clean-index",
  done: "done",
} as const;

export type SearchStep = keyof typeof searchSteps;

export type AnyStep = HostStep | AloneStep | CarriedStep | PoolStep | UpgradeStep | SearchStep;

/** One name, one script: an incident in front of another system's script would never happen. */
const scriptOf = [hostSteps, aloneSteps, carriedSteps, poolSteps, upgradeSteps, searchSteps]
  .flatMap((steps) => Object.entries(steps))
  .reduce<Record<string, string>>((all, [step, script]) => {
    if ((all[step] ?? script) !== script)
      throw new Error(`${step} is two scripts: ${all[step] ?? ""}, ${script}`);
    return { ...all, [step]: script };
  }, {});

/** What a step does instead of its work: fail before it, fail after it, or wait a little, to be killed in it. */
export type Incident = "before" | "after" | "wait";

const marks = "/run/changeover-incident";

const bodies: Readonly<Record<Incident, string>> = {
  before: "exit 75",
  after: 'bash "$real" "$@" || exit; exit 75',
  wait: 'read -rt 1.5 _ <> <(:) || true; bash "$real" "$@"; exit',
};

/**
 * Put an incident in front of one step, on all hosts unless some are named. The real script stays beside it and is what
 * runs, so nothing of the program knows of the test.
 */
export async function arrange(
  estate: Estate,
  step: AnyStep,
  incident: Incident,
  hosts: readonly string[] = [...estate.hosts.keys()],
): Promise<void> {
  const script = [
    "#!/usr/bin/env bash",
    "real=${BASH_SOURCE[0]%.sh}.real.sh",
    `mkdir -p ${marks} && : >${marks}/${step}`,
    bodies[incident],
  ].join("\n");
  await everywhere(
    estate,
    hosts,
    `for file in /opt/changeover/*/scripts/${scriptOf[step] ?? step}.sh; do
       [ -e "\${file%.sh}.real.sh" ] || mv "$file" "\${file%.sh}.real.sh"
       cat >"$file" <<'INCIDENT_ENDS'
${script}
INCIDENT_ENDS
     done; rm -rf ${marks}`,
  );
}

/** Take every incident away again. */
export async function clear(estate: Estate): Promise<void> {
  await everywhere(
    estate,
    [...estate.hosts.keys()],
    `for real in /opt/changeover/*/scripts/*.real.sh /opt/changeover/*/scripts/*/*.real.sh; do
       [ ! -e "$real" ] || mv "$real" "\${real%.real.sh}.sh"
     done; rm -rf ${marks}`,
  );
}

/** Whether the step has begun on any host that answers. */
export async function reached(estate: Estate, step: AnyStep): Promise<boolean> {
  const seen = await Promise.all(
    [...estate.hosts.keys()].map((name) =>
      estate.on(name, `[ ! -e ${marks}/${step} ] || echo seen`).catch(() => ""),
    ),
  );
  return seen.some((text) => text.includes("seen"));
}

async function everywhere(estate: Estate, hosts: readonly string[], command: string): Promise<void> {
  await Promise.all(hosts.map((name) => estate.on(name, command)));
}
