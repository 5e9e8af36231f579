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
const ctl = "/opt/scalr-server/bin/scalr-ctl";

/**
 * A test of each thing that the seed's page names (rows 000-036 to 000-042). Hosts and clouds are chosen so that one thing
 * that breaks fails one test: farms and servers are launched from the worker, the others ask from where they run.
 */
const smoke = {
  farm: {
    on: "scalr-app1",
    command: `${ctl} farms launch smoke-farm --servers 2 --cloud private-rack`,
    ...{ cleanUp: `${ctl} farms terminate smoke-farm`, seconds: 60 },
  },
  server: {
    on: "scalr-app2",
    command: `${ctl} farms launch smoke-server --cloud public-east && ${ctl} servers launch smoke-server`,
    ...{ cleanUp: `${ctl} farms terminate smoke-server`, seconds: 60 },
  },
  provider: {
    ...{ on: "scalr-app1", command: `${ctl} clouds test public-east` },
    ...{ cleanUp: `${ctl} clouds tidy public-east`, seconds: 40 },
  },
  credentials: { on: "scalr-app1", command: `${ctl} clouds credentials`, seconds: 30 },
  "private-network": { on: "scalr-app2", command: `${ctl} networks test private-rack`, seconds: 15 },
  "public-network": { on: "scalr-app2", command: `${ctl} networks test public-east`, seconds: 15 },
  tool: {
    ...{ on: "scalr-app2", command: `${ctl} tools test`, cleanUp: `${ctl} tools tidy` },
    seconds: 20,
  },
};

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
  smoke,
  parallel: 2,
  ...change,
});
