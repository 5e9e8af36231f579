import { cut, mend } from "../../tools/workshop/lab/lab.ts";
import type { ScalrSite } from "./scalr-site.ts";
import type { scalrHosts } from "./scalr.ts";

type HostName = keyof typeof scalrHosts;

/** A fault in an upgrade, on one host or in a release. */
export interface Fault {
  readonly name: string;
  /** The resources that fail, without `scalr-upgrade-`. */
  readonly stage: RegExp;
  /** The message of the update. */
  readonly says: RegExp;
  /** The version with the fault; left out: any. */
  readonly version?: string;
  /** Further keys of the stack file during the fault. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Causes the fault; left out: the release does. */
  readonly breaks?: (site: ScalrSite) => Promise<unknown>;
  /** Repairs the fault; left out: only going back helps. */
  readonly mends?: (site: ScalrSite) => Promise<unknown>;
  /** Whether the site serves all the time, since no service was stopped. */
  readonly serves?: boolean;
}

const on = (host: HostName, command: string) => (site: ScalrSite) => site.estate.on(host, command, 60);

const folder = "/opt/scalr-server";
const supervisor = `${folder}/etc/supervisord.conf`;
const hook = "/etc/apt/apt.conf.d/99fault";
const dump = `${folder}/embedded/bin/mysqldump`;
const settings = "/etc/scalr-server/scalr-server.conf";
const credentials = "/etc/scalr-server/backup.cnf";

/** A dump program that filters the output of the real one. */
const dumping = (filter: string) => ({
  breaks: on(
    "scalr-db",
    `[ -e ${dump}.true ] || mv ${dump} ${dump}.true
printf '%s\\n' '#!/bin/bash' '${dump}.true "$@" | ${filter}' >${dump} && chmod 0755 ${dump}`,
  ),
  mends: on("scalr-db", `mv ${dump}.true ${dump}`),
});

/** Faults before services are stopped: the site goes on. */
const beforeTheStop: readonly Fault[] = [
  {
    name: "a host that is not reached",
    stage: /^preflight$/,
    says: /scalr-worker.*(gave up|can't be reached|timed out|no answer|unreachable)/i,
    breaks: ({ estate }) => cut(estate.lab, "scalr-worker"),
    mends: ({ estate }) => mend(estate.lab, "scalr-worker"),
    serves: true,
  },
  {
    name: "a wrong password for the backup",
    stage: /^preflight$/,
    says: /scalr-db can't make a backup: .*rejects the login/,
    breaks: on(
      "scalr-db",
      `cp -p ${credentials} /root/backup.cnf && sed -i 's/^password=.*/password=wrong/' ${credentials}`,
    ),
    mends: on("scalr-db", `mv /root/backup.cnf ${credentials}`),
    serves: true,
  },
  {
    name: "a disk that the backup would fill",
    stage: /^preflight$/,
    says: /scalr-db would have \d+ % of its disk in use after the backup/,
    breaks: on(
      "scalr-db",
      `mkdir -p /var/backups/scalr && mount -t tmpfs -o size=20m tmpfs /var/backups/scalr && head -c 17M /dev/zero >/var/backups/scalr/full`,
    ),
    mends: on("scalr-db", "umount /var/backups/scalr"),
    serves: true,
  },
  {
    name: "a dump that is cut short",
    stage: /^backup$/,
    says: /dump/,
    ...dumping("head -c 20000"),
    serves: true,
  },
  {
    name: "a dump without its end",
    stage: /^backup$/,
    says: /dump/,
    ...dumping('grep -av "^-- Dump completed"'),
    serves: true,
  },
  {
    name: "a dump that lacks rows",
    stage: /^trial$/,
    says: /trial restore of backup .* differs: .*servers/,
    ...dumping('sed "/^INSERT INTO .servers. VALUES/{n;n;d}"'),
    serves: true,
  },
];

/** Faults after services are stopped. */
const afterTheStop: readonly Fault[] = [
  {
    name: "a stop that hangs",
    stage: /^stop-scalr-worker$/,
    says: /stop on scalr-worker did not end before the deadline of its step|not done after/,
    config: { seconds: { stop: 20 } },
    // A service that ignores the stop, and a supervisor that waits long for it.
    breaks: on(
      "scalr-worker",
      `sed -i '/^.program:monitor/,/^$/ s/^stopwaitsecs=.*/stopwaitsecs=900/' ${supervisor}
supervisorctl -c ${supervisor} update >/dev/null
timeout 20 bash -c 'until supervisorctl -c ${supervisor} status monitor | grep -q RUNNING; do read -rt 0.2 _ <> <(:); done'
supervisorctl -c ${supervisor} pid monitor >/root/stopped
kill -STOP $(cat /root/stopped)`,
    ),
    mends: on("scalr-worker", "kill -CONT $(cat /root/stopped)"),
  },
  {
    name: "a package that one host does not take",
    stage: /^package-scalr-worker$/,
    says: /scalr-worker has scalr-server \S+ \(allowed: \S+, completely installed\)/,
    breaks: on("scalr-worker", `echo 'DPkg::Pre-Install-Pkgs {"false";};' >${hook}`),
    mends: on("scalr-worker", `rm ${hook}`),
  },
  {
    name: "a migration that fails",
    version: "7.4.2-1",
    stage: /^reconfigure-main$/,
    says: /reconfigure on scalr-db ended with 1 \(allowed: 0\)/,
  },
  {
    name: "a reconfigure that fails on one host",
    stage: /^reconfigure-scalr-app2$/,
    says: /reconfigure on scalr-app2 ended with 1 \(allowed: 0\).*Access denied/,
    breaks: on(
      "scalr-app2",
      `cp -p ${settings} /root/settings && sed -i 's/^secret=.*/secret=wrong/' ${settings}`,
    ),
    mends: on("scalr-app2", `mv /root/settings ${settings}`),
  },
  {
    name: "a service that flaps",
    version: "7.4.3-1",
    stage: /^health-scalr-app[12]$/,
    says: /poller is in a restart loop/,
  },
  {
    name: "a disk that is full after the upgrade",
    stage: /^health-scalr-app2$/,
    says: /\/opt\/scalr-server is \d+ % full \(allowed: 80 %\)/,
    config: { seconds: { healthy: 15 } },
    // The software on a small file system, which the end of the installation fills.
    breaks: on(
      "scalr-app2",
      `/etc/init.d/scalr stop && mount -t tmpfs -o size=120m tmpfs /mnt && cp -a ${folder}/. /mnt/ && mount --bind /mnt ${folder} && umount /mnt && /etc/init.d/scalr start
echo 'DPkg::Post-Invoke {"head -c 100M /dev/zero >${folder}/full || true";};' >${hook}`,
    ),
    mends: on("scalr-app2", `rm ${hook} ${folder}/full`),
  },
  {
    name: "a smoke test that hangs",
    stage: /^smoke-[\w-]+-scalr-app2$/,
    says: /smoke test server on scalr-app2 did not end within 60 s/,
    breaks: on(
      "scalr-app2",
      `printf '#!/bin/sh\\nexec sleep 600\\n' >/root/hangs && chmod 0755 /root/hangs
echo 'DPkg::Post-Invoke {"mv ${folder}/bin/scalr-ctl /root/scalr-ctl; cp /root/hangs ${folder}/bin/scalr-ctl";};' >${hook}`,
    ),
    mends: on("scalr-app2", `rm ${hook}; mv /root/scalr-ctl ${folder}/bin/scalr-ctl`),
  },
];

/** All faults, in the order of the phases that they stop. */
export const faults: readonly Fault[] = [...beforeTheStop, ...afterTheStop];
