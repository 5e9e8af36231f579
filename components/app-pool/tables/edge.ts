import type { Row, Table } from "../../../transition/table.ts";

const maintenancePage = "the maintenance page";

const onServers = (pool: string, phase: string, word: "on" | "off", says: string): Row => ({
  phase,
  name: phase,
  script: "app/set-maintenance",
  on: "servers",
  says,
  limits: [pool],
  words: () => [word],
  deadlineSeconds: 60,
});

/** The application's port on each server takes no new connection. */
export const closePort = (pool: string): Row => ({
  ...onServers(
    pool,
    "close",
    "on",
    "the application's port is closed, and requests in flight have ended; users see the maintenance page",
  ),
  usersNotice: maintenancePage,
});

/** The application's port on each server takes connections again. */
export const openPort = (pool: string): Row => ({
  ...onServers(pool, "open", "off", "the application's port is open again"),
  usersServed: true,
});

const onBalancers = (pool: string, phase: string, script: string, word: "on" | "off", says: string): Row => ({
  phase,
  name: phase,
  script,
  on: "balancers",
  says,
  limits: [pool],
  words: () => [word],
  deadlineSeconds: 120,
});

const pageRow = (pool: string, phase: string, says: string): Row => ({
  ...onBalancers(pool, phase, "haproxy/set-maintenance", "on", says),
  usersNotice: maintenancePage,
});

const haproxyServes = (pool: string): Row =>
  onBalancers(
    pool,
    "haproxy",
    "haproxy/serve-site",
    "on",
    "HAProxy listens on every address of the site, also after a reboot",
  );

const haproxyStopped = (pool: string): Row =>
  onBalancers(
    pool,
    "haproxy-stop",
    "haproxy/serve-site",
    "off",
    "HAProxy is stopped and has released every address of the site",
  );

const apacheServes = (pool: string): Row => ({
  ...onBalancers(
    pool,
    "apache-serve",
    "apache/serve-site",
    "on",
    "Apache listens on every address of the site, also after a reboot",
  ),
  usersServed: true,
});

const apacheStopped = (pool: string): Row =>
  onBalancers(
    pool,
    "apache-stop",
    "apache/serve-site",
    "off",
    "Apache is stopped and has released every address of the site",
  );

const apacheConfigured = (pool: string, host: string): Row => ({
  phase: "apache",
  script: "apache/configure",
  on: "balancers",
  says: "Apache is configured for the same addresses and one server; nothing is started",
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
  says: "Apache's configuration is archived, and Apache is uninstalled",
  limits: [pool],
  deadlineSeconds: 600,
  pointOfNoReturn: true,
});

const apacheChecked = (pool: string): Row => ({
  phase: "check",
  name: "check",
  script: "apache/check-pages",
  on: "balancers",
  says: "every public address answers with a page of the application",
  limits: [pool],
  deadlineSeconds: 60,
  reads: true,
});

/**
 * Which program serves the site's addresses on the balancers. HAProxy and Apache bind the same addresses, so one
 * program releases them before the other binds them. Users see a maintenance page in between.
 */
export function edgeTable(options: {
  pool: string;
  host: string;
  edge: "haproxy" | "apache";
  apache: "none" | "kept" | "retired";
}): Table {
  const { pool, host, edge, apache } = options;
  if (apache === "none") return [haproxyServes(pool)];
  if (apache === "retired") return [haproxyServes(pool), apacheRetired(pool)];
  const page = pageRow(pool, "page", "HAProxy answers every request with the maintenance page");
  if (edge === "haproxy")
    return [
      apacheConfigured(pool, host),
      page,
      closePort(pool),
      apacheStopped(pool),
      haproxyServes(pool),
      pageRow(
        pool,
        "page-check",
        "every public address answers with status 503 and the marker of the maintenance page",
      ),
      openPort(pool),
    ];
  return [
    apacheConfigured(pool, host),
    page,
    haproxyStopped(pool),
    openPort(pool),
    apacheServes(pool),
    apacheChecked(pool),
  ];
}

/** An address is released only if HAProxy's log has no client of it for so long, or after its deadline. */
const quietDays = "7";

/**
 * An address may be released. The release itself is a new configuration of the balancer, without the address. A refusal
 * is not a verdict in the state, so the next update asks again.
 */
export function addressTable(
  pool: string,
  place: { readonly bind: string; readonly deadline: string },
): Table {
  return [
    {
      phase: "clients",
      name: "clients",
      script: "haproxy/require-no-clients",
      on: "balancer",
      says: `no client used ${place.bind} for ${quietDays} days, or ${place.deadline} is over; otherwise refused`,
      limits: [pool, place.bind, quietDays, place.deadline],
      reads: true,
      deadlineSeconds: 120,
    },
  ];
}

/** The whole site answers with its maintenance page, or serves again. */
export function maintenanceTable(pool: string, on = true): Table {
  return [
    {
      phase: "maintenance",
      name: "maintenance",
      script: "haproxy/set-maintenance",
      on: "balancers",
      says: "the site's maintenance is on or off as wanted, checked at every address; no request is cut",
      limits: [pool],
      words: ({ maintenance }) => [maintenance ?? "off"],
      ...(on ? { usersNotice: maintenancePage } : {}),
      deadlineSeconds: 120,
    },
  ];
}
