import { readFileSync } from "node:fs";
import { join } from "node:path";

const file = join(import.meta.dirname, "..", "..", "demo", "scalr", "roles.json");

/** The seed's twenty services, by the role of the host that runs them. */
export const roles = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, readonly string[]>>;

/** Five hosts, the last of which takes RPMs. */
export const scalrHosts = {
  "scalr-db": "database",
  "scalr-app1": "app",
  "scalr-app2": "app",
  "scalr-worker": "worker",
  "scalr-proxy": "proxy",
} as const;

const manage = "/opt/scalr-server/bin/scalr-server-manage";
const farms = "/opt/scalr-server/bin/scalr-ctl farms";

/** What a stack file says of Scalr, with some of it changed. */
export const scalr = (change: Readonly<Record<string, unknown>> = {}) => ({
  ...{ package: "scalr-server", version: "7.3.0-1", hosts: scalrHosts, main: "scalr-db", services: roles },
  ...{ folder: "/opt/scalr-server", kinds: { "scalr-proxy": "rpm" } },
  commands: {
    ...{ stop: `${manage} stop all`, start: `${manage} start all`, status: `${manage} status` },
    reconfigure: "/opt/scalr-server/bin/scalr-server-ctl reconfigure",
    ...{ supervisor: "/etc/init.d/scalr status", supervisorSays: "scalr is running" },
  },
  database: {
    dump: "/opt/scalr-server/embedded/bin/mysqldump",
    client: "/opt/scalr-server/embedded/bin/mysql",
    credentials: "/etc/scalr-server/backup.cnf",
    ...{ start: `${manage} start scalr-mysql`, stop: `${manage} stop scalr-mysql` },
  },
  backup: { folder: "/var/backups/scalr", keep: 2 },
  selfReconfigure: "/etc/scalr-server/skip-auto-reconfigure",
  smoke: {
    farm: {
      on: "scalr-app1",
      command: `${farms} launch smoke-farm`,
      cleanUp: `${farms} terminate smoke-farm`,
      seconds: 60,
    },
  },
  parallel: 2,
  ...change,
});
