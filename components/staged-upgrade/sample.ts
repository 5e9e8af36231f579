import type { Sample } from "../system.ts";

const host = {
  configured: true,
  installed: "7.3.0-1",
  whole: true,
  disk_percent: 10,
  supervisor: true,
  not_running: [],
  services_why: null,
  database: null,
  silenced: false,
  backup_age_s: null,
};

/** A main host and another one. */
export const upgradeSample: Sample = {
  hosts: ["db", "app1"],
  entry: {
    package: "scalr-server",
    version: "7.3.0-1",
    hosts: { db: "database", app1: "app" },
    main: "db",
    services: { database: ["mysql"], app: ["httpd"] },
    folder: "/opt/scalr-server",
    commands: {
      stop: "manage stop",
      start: "manage start",
      reconfigure: "manage reconfigure",
      status: "manage status",
      supervisor: "manage supervisor",
      supervisorSays: "running",
    },
    database: {
      dump: "/usr/bin/mysqldump",
      client: "/usr/bin/mysql",
      credentials: "/etc/backup.cnf",
      start: "manage start mysql",
      stop: "manage stop mysql",
    },
    backup: { folder: "/var/backups/scalr" },
  },
  facts: { "upgrade/probe": { right: host, wrong: { ...host, supervisor: false } } },
};
