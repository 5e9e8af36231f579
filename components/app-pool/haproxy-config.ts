/** An app server, as HAProxy reaches it. */
export interface HaproxyServer {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** What the whole of haproxy.cfg is made from. */
export interface HaproxyGoal {
  readonly pool: string;
  /** Where the site is served, each as `address:port`. */
  readonly binds: readonly string[];
  readonly servers: readonly HaproxyServer[];
  /** The application's own readiness: a path, and the status that means ready. */
  readonly ready: { readonly path: string; readonly status: number };
  /** The name of the site, which the check sends as its host header. */
  readonly host: string;
  /** Between two checks of a server. @default 250 */
  readonly checkMilliseconds?: number;
  /** The page of the site's maintenance, on the balancer. @default `/etc/haproxy/<pool>-maintenance.html` */
  readonly maintenancePage?: string;
}

/** Where a pool's maintenance page is on its balancers. */
export function maintenancePageOf({ pool, maintenancePage }: HaproxyGoal): string {
  return maintenancePage ?? `/etc/haproxy/${pool}-maintenance.html`;
}

/**
 * The whole text of haproxy.cfg, with each server in traffic and the site open. What is so on a balancer now (who is
 * in traffic, whether the site is in maintenance) is put into it there, by `scripts/haproxy/pool.py`.
 */
export function haproxyConfig(goal: HaproxyGoal): string {
  const sections = [globalSection(goal), defaultsSection, frontend(goal), backend(goal), maintenance(goal)];
  return sections.map((lines) => `${lines.join("\n")}\n`).join("\n");
}

function globalSection({ pool }: HaproxyGoal): string[] {
  return [
    `# Pool ${pool}. Written by Changeover: a change by hand is lost with the next one of the config.`,
    "global",
    "    log /dev/log local0",
    "    chroot /var/lib/haproxy",
    "    user haproxy",
    "    group haproxy",
    "    stats socket /run/haproxy/admin.sock mode 660 level admin expose-fd listeners",
    "    stats timeout 30s",
    "    server-state-file /var/lib/haproxy/server-state",
    "    # A worker that was reloaded ends its requests; so long at most.",
    "    hard-stop-after 10m",
  ];
}

const defaultsSection: readonly string[] = [
  "defaults",
  "    mode http",
  "    log global",
  "    option dontlognull",
  "    option http-keep-alive",
  "    # Each try at another server.",
  "    option redispatch 1",
  "    retries 3",
  "    timeout connect 3s",
  "    timeout client 60s",
  "    timeout server 60s",
  "    timeout queue 30s",
  "    timeout http-request 10s",
  "    timeout http-keep-alive 5s",
  "    timeout tunnel 1h",
  "    timeout check 2s",
  "    load-server-state-from-file global",
];

// The log tells by which address (%fi) and name (the captured host) a client came.
const logFormat =
  '"%ci:%cp [%tr] %fi:%fp %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %{+Q}r"';

function frontend({ pool, binds }: HaproxyGoal): string[] {
  return [
    `frontend ${pool}_public`,
    ...binds.map((bind) => `    bind ${bind}`),
    "    # A reload closes a kept connection with an answer and never between two: a client loses nothing.",
    "    option idle-close-on-response",
    "    option forwardfor",
    "    capture request header Host len 128",
    `    log-format ${logFormat}`,
    `    default_backend ${pool}`,
  ];
}

function backend({ pool, servers, ready, host, checkMilliseconds = 250 }: HaproxyGoal): string[] {
  const byName = [...servers].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    `backend ${pool}`,
    "    balance roundrobin",
    "    option httpchk",
    `    http-check send meth GET uri ${ready.path} ver HTTP/1.1 hdr Host ${host}`,
    `    http-check expect status ${String(ready.status)}`,
    "    # What may be asked twice is asked again when a server breaks off without an answer.",
    "    retry-on conn-failure empty-response",
    "    http-request disable-l7-retry unless { method GET HEAD OPTIONS }",
    `    default-server check inter ${String(checkMilliseconds)}ms fall 2 rise 2 init-addr last,libc,none`,
    ...byName.map(({ name, address, port }) => `    server ${name} ${address}:${String(port)}`),
  ];
}

function maintenance(goal: HaproxyGoal): string[] {
  const headers = `hdr X-Maintenance ${goal.pool} hdr Cache-Control no-store hdr Retry-After 60`;
  return [
    `backend ${goal.pool}_maintenance`,
    `    http-request return status 503 content-type "text/html; charset=utf-8" file ${maintenancePageOf(goal)} ${headers}`,
  ];
}
