/** A server, as HAProxy reaches it. */
export interface HaproxyServer {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** All that haproxy.cfg is made from. */
export interface HaproxyGoal {
  readonly pool: string;
  /** Addresses of the site, each as `address:port`. */
  readonly binds: readonly string[];
  readonly servers: readonly HaproxyServer[];
  /** The application's readiness check: a path, and the status of a ready server. */
  readonly ready: { readonly path: string; readonly status: number };
  /** The name of the site; the readiness check sends it as its host header. */
  readonly host: string;
  /** Time between two checks of a server. @default 250 */
  readonly checkMilliseconds?: number;
  /** The file of the maintenance page, on the balancer. @default `/etc/haproxy/<pool>-maintenance.html` */
  readonly maintenancePage?: string;
}

/** The file of a pool's maintenance page on its balancers. */
export function maintenancePageOf({ pool, maintenancePage }: HaproxyGoal): string {
  return maintenancePage ?? `/etc/haproxy/${pool}-maintenance.html`;
}

/**
 * The whole text of haproxy.cfg, with every server in traffic and the site open. The text is a keeper, so a new word in it
 * configures every balancer anew. On the balancer `scripts/haproxy/pool.py` adds the present state: servers out of
 * traffic, the site in maintenance.
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

// scripts/haproxy/clients.py reads the address (%fi) and the name (the captured host) that a client used.
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
