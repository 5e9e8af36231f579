import type { Membership } from "./config.ts";
import { type Row, type Table, withPrefix } from "../../transition/table.ts";

/** What the rows of a pool are told besides their goal: names that never change, and limits. */
export interface PoolLimits {
  readonly pool: string;
  readonly drainSeconds: number;
  readonly policy: "fail" | "cut";
  readonly minHealthy: number;
  readonly readySeconds: number;
  readonly upSeconds: number;
  readonly bakeSeconds: number;
  readonly groupBakeSeconds: number;
  readonly path: string;
  readonly host: string;
}

/** A balancer made ready from a blank machine: HAProxy is installed; nothing is served by it yet. */
export const balancerHostTable: Table = [
  {
    phase: "packages",
    script: "haproxy/packages",
    on: "each",
    says: "HAProxy and the tools of the scripts are installed",
    deadlineSeconds: 900,
  },
];

/** A server made ready from a blank machine: user, folders, settings, what the application needs. */
export function serverHostTable({ pool, software }: { pool: string; software?: string }): Table {
  return [
    {
      phase: "packages",
      script: "app/packages",
      on: "each",
      says: "the tools of the scripts are installed",
      deadlineSeconds: 900,
    },
    {
      phase: "configure",
      script: "app/configure",
      on: "each",
      says: "the application's user, folders and settings are there",
      limits: [pool],
      words: (keepers) => withPrefix(keepers, "conf."),
      stdin: "application",
      deadlineSeconds: 120,
    },
    ...(software === undefined
      ? []
      : [
          {
            phase: "software",
            script: software,
            software: true,
            on: "each",
            says: "what the application needs on its server is there",
            limits: [pool],
            deadlineSeconds: 900,
          },
        ]),
  ];
}

/** The text of haproxy.cfg, one balancer after the other: one that does not take it leaves the others as they are. */
export function balancersTable(pool: string, balancers: readonly string[]): Table {
  return balancers.map((balancer) => ({
    phase: `on-${balancer}`,
    script: "haproxy/configure",
    on: balancer,
    says: `${balancer} has checked and taken its configuration, without a lost connection; whom it serves by has not changed`,
    limits: [pool],
    words: (keepers) => [keepers[`template.${balancer}`] ?? ""],
    deadlineSeconds: 120,
  }));
}

const drain = (limits: PoolLimits, server: string): Row => ({
  phase: "drain",
  name: `drain-${server}`,
  script: "haproxy/drain",
  on: "balancers",
  says: `no balancer sends ${server} a request, and its last session has ended`,
  limits: [limits.pool, String(limits.drainSeconds), limits.policy, String(limits.minHealthy)],
  words: () => [server],
  beside: true,
  deadlineSeconds: limits.drainSeconds + 60,
});

const enter = (limits: PoolLimits, server: string, bakeSeconds: number): Row => ({
  phase: "enter",
  name: `enter-${server}`,
  script: "haproxy/enter",
  on: "balancers",
  says: `${server} is up at every balancer and has served well while it was watched`,
  limits: [limits.pool, String(limits.upSeconds), String(bakeSeconds), limits.path, limits.host],
  words: () => [server],
  beside: true,
  verdict: true,
  deadlineSeconds: limits.upSeconds + bakeSeconds + 60,
});

const verdict = (of: string, says: string): Row => ({
  phase: "verdict",
  script: "pool/verdict",
  on: "operator",
  by: "operator",
  says: `only if ${of} is bad: ${says}, and the update fails`,
  when: (bad) => bad.length > 0,
  deadlineSeconds: 30,
});

/**
 * An address may be released: nobody came by it in a week, or the day is over until which users were asked to go
 * (rows 001-102 to 001-104). Its end is a new text of its balancer's configuration. A refusal is no verdict that would
 * be kept: the next update asks again.
 */
export function addressTable(
  pool: string,
  place: { readonly bind: string; readonly deadline: string },
): Table {
  return [
    {
      phase: "clients",
      script: "haproxy/clients",
      on: "balancer",
      says: `nobody came by ${place.bind} in a week, or it is later than ${place.deadline}; refuses otherwise`,
      limits: [pool, place.bind, "7", place.deadline],
      reads: true,
      deadlineSeconds: 120,
    },
  ];
}

/** What is wanted of one server: it comes into service behind its own readiness, or leaves without a cut session. */
export function memberTable(limits: PoolLimits, server: string, wanted: Membership): Table {
  const want: Row = {
    phase: "want",
    name: "want",
    script: "haproxy/member",
    on: "balancers",
    says: `every balancer knows that ${server} is to be: ${wanted}`,
    limits: [limits.pool],
    words: () => [wanted, server],
    deadlineSeconds: 30,
  };
  if (wanted !== "in") return [want, drain(limits, server)];
  return [
    want,
    enter(limits, server, limits.groupBakeSeconds),
    verdict(server, "no balancer sends it a request"),
  ];
}

/**
 * The system packages of one server: loaded while it serves, upgraded when it is drained and only while the cache
 * survives without what runs on it (rows 001-118 to 001-122).
 */
export function upgradeTable(limits: PoolLimits, server: string, cache?: string): Table {
  const survives: Row = {
    phase: "cache",
    script: "memcached/require-other-nodes",
    name: "cache-others",
    on: "clients",
    reads: true,
    says: `every client of the cache has another node than that of ${server}`,
    limits: [cache ?? ""],
    deadlineSeconds: 60,
  };
  return [
    {
      phase: "fetch",
      script: "app/fetch",
      on: "server",
      says: "the packages are loaded, and nothing is installed yet",
      deadlineSeconds: 1800,
    },
    ...(cache === undefined ? [] : [survives]),
    drain(limits, server),
    {
      phase: "upgrade",
      script: "app/upgrade",
      on: "server",
      says: "its packages are upgraded, none is removed; the application was started again and is ready",
      limits: [limits.pool, String(limits.readySeconds)],
      verdict: true,
      // Less than the time after which a drained server goes back by itself.
      deadlineSeconds: 840,
    },
    { ...enter(limits, server, limits.groupBakeSeconds), when: (bad) => bad.length === 0 },
    verdict(server, "the round ends, and no balancer sends it a request until it is ready"),
  ];
}

const stageRow = ({ pool }: PoolLimits): Row => ({
  phase: "stage",
  script: "app/stage",
  on: "servers",
  says: "the release lies unpacked beside the one that runs, its archive checked, its shared folders linked",
  limits: [pool],
  words: ({ revision, sha256 }) => [revision ?? "", sha256 ?? ""],
  deadlineSeconds: 900,
});

/** The group that a phase of a release is of; 0: of none. */
const groupOf = (phase: string): number => Number(/^group-(\d+)-/.exec(phase)?.[1] ?? 0);

/**
 * A release on all servers, group after group. A group whose verdict is bad ends the way forward, and the servers that
 * were begun go back to what ran before, newest group first; then the update fails with the reason. All of it stands
 * in the table: what is not needed runs nothing.
 */
export function releaseTable(limits: PoolLimits, groups: readonly (readonly string[])[]): Table {
  const forward = groups.flatMap((servers, index): Row[] => {
    const group = `group-${String(index + 1)}`;
    const bake = index === 0 ? limits.bakeSeconds : limits.groupBakeSeconds;
    const rows: Row[] = [
      ...servers.map((server) => ({ ...drain(limits, server), phase: `${group}-drain` })),
      {
        phase: `${group}-release`,
        name: "release",
        script: "app/release",
        on: group,
        says: "the application runs the release and is ready at its private address",
        limits: [limits.pool],
        words: ({ revision }) => [revision ?? ""],
        verdict: true,
        deadlineSeconds: limits.readySeconds + 60,
      },
      ...servers.map((server) => ({ ...enter(limits, server, bake), phase: `${group}-enter` })),
    ];
    return rows.map((row) => ({ ...row, when: (bad) => bad.length === 0 }));
  });
  return [
    stageRow(limits),
    ...forward,
    ...backRows(limits, groups),
    verdict("the release", "no server runs it any more"),
  ];
}

function backRows(limits: PoolLimits, groups: readonly (readonly string[])[]): Row[] {
  const begun = (group: number) => (bad: readonly string[]) =>
    bad.length > 0 && !bad.some((phase) => groupOf(phase) > 0 && groupOf(phase) < group);
  return groups
    .flatMap((servers, index): Row[][] => {
      const [group, back] = [`group-${String(index + 1)}`, `back-${String(index + 1)}`];
      const rows: Row[] = [
        ...servers.map((server) => ({
          ...drain(limits, server),
          phase: `${back}-drain`,
          name: `back-drain-${server}`,
        })),
        {
          phase: `${back}-release`,
          name: "back",
          script: "app/back",
          on: group,
          says: "the application runs what ran before, and is ready",
          limits: [limits.pool],
          words: ({ revision }) => [revision ?? ""],
          deadlineSeconds: limits.readySeconds + 60,
        },
        ...servers.map((server) => ({
          ...enter(limits, server, 0),
          phase: `${back}-enter`,
          name: `back-enter-${server}`,
          says: `${server} is up at every balancer`,
        })),
      ];
      return [
        rows.map((row) => ({
          ...row,
          says: `only if the release is bad: ${row.says}`,
          when: begun(index + 1),
        })),
      ];
    })
    .reverse()
    .flat();
}

const toServers = (pool: string, phase: string, word: "on" | "off", says: string): Row => ({
  phase,
  name: phase,
  script: "app/firewall",
  on: "servers",
  says,
  limits: [pool],
  words: () => [word],
  deadlineSeconds: 60,
});

const toBalancers = (pool: string, phase: string, script: string, word: "on" | "off", says: string): Row => ({
  phase,
  name: phase,
  script,
  on: "balancers",
  says,
  limits: [pool],
  words: () => [word],
  deadlineSeconds: 120,
});

const apacheReady = (pool: string, host: string): Row => ({
  phase: "apache",
  script: "apache/configure",
  on: "balancers",
  says: "Apache is configured to serve the same addresses from one server; nothing is started",
  limits: [pool, host],
  words: (keepers, balancer) => [
    keepers.upstream ?? "",
    ...(keepers[`binds.${balancer}`] ?? "").split(" ").filter(Boolean),
  ],
  deadlineSeconds: 900,
});

const apacheRetired = (pool: string): Row => ({
  phase: "retire",
  name: "retire",
  script: "apache/uninstall",
  on: "balancers",
  says: "Apache's configuration is archived and it is uninstalled",
  limits: [pool],
  deadlineSeconds: 600,
  pointOfNoReturn: true,
});

const apacheChecked = (pool: string): Row => ({
  phase: "check",
  script: "apache/check",
  on: "balancers",
  says: "every public address answers with a page of the application",
  limits: [pool],
  deadlineSeconds: 60,
  reads: true,
});

/**
 * Who serves the site's addresses on the balancers (rows 001-090 to 001-098, 001-133 to 001-141). HAProxy and Apache
 * bind the same ones, so one gives them up before the other takes them; users see the maintenance page in between.
 */
export function edgeTable(options: {
  pool: string;
  host: string;
  edge: "haproxy" | "apache";
  apache: "none" | "kept" | "retired";
}): Table {
  const { pool, host, edge, apache } = options;
  const bound = "listens on every address of the site, now and after a boot";
  const haproxyServes = toBalancers(pool, "haproxy", "haproxy/serve", "on", `HAProxy ${bound}`);
  if (apache === "none") return [haproxyServes];
  if (apache === "retired") return [haproxyServes, apacheRetired(pool)];
  const page = toBalancers(
    pool,
    "page",
    "haproxy/maintenance",
    "on",
    "HAProxy has nothing but the maintenance page for users",
  );
  const open = toServers(pool, "open", "off", "every server's port is open again");
  if (edge === "haproxy")
    return [
      apacheReady(pool, host),
      page,
      toServers(
        pool,
        "close",
        "on",
        "no server takes a new request, what was in flight has ended: users see Apache's page",
      ),
      toBalancers(
        pool,
        "apache-stop",
        "apache/serve",
        "off",
        "Apache has given up every address of the site",
      ),
      haproxyServes,
      {
        ...page,
        phase: "page-check",
        name: "page-check",
        says: "every public address answers with status 503 and the page's marker, and nothing else",
      },
      open,
    ];
  return [
    apacheReady(pool, host),
    page,
    toBalancers(
      pool,
      "haproxy-stop",
      "haproxy/serve",
      "off",
      "HAProxy has given up every address of the site",
    ),
    open,
    toBalancers(pool, "apache-serve", "apache/serve", "on", `Apache ${bound}`),
    apacheChecked(pool),
  ];
}

/** A release while Apache serves: without balancing there is no draining, so its one server is closed meanwhile. */
export function singleReleaseTable(limits: PoolLimits): Table {
  const { pool, readySeconds } = limits;
  const revision: Pick<Row, "on" | "limits" | "words" | "deadlineSeconds"> = {
    on: "servers",
    limits: [pool],
    deadlineSeconds: readySeconds + 60,
    words: (keepers) => [keepers.revision ?? ""],
  };
  return [
    stageRow(limits),
    toServers(pool, "close", "on", "no server takes a new request, what was in flight has ended"),
    {
      ...revision,
      phase: "release",
      script: "app/release",
      verdict: true,
      says: "the application runs the release and is ready at its private address",
    },
    {
      ...revision,
      phase: "back",
      script: "app/back",
      says: "only if the release is bad: the application runs what ran before, and is ready",
      when: (bad) => bad.length > 0,
    },
    toServers(pool, "open", "off", "every server's port is open again"),
    verdict("the release", "no server runs it any more"),
  ];
}

/** The whole site answers with its maintenance page, or serves again. */
export function maintenanceTable(pool: string): Table {
  return [
    {
      phase: "maintenance",
      script: "haproxy/maintenance",
      on: "balancers",
      says: "the site is in maintenance, or out of it, as seen from its balancers; no request was cut",
      limits: [pool],
      words: ({ maintenance }) => [maintenance ?? "off"],
      deadlineSeconds: 120,
    },
  ];
}
