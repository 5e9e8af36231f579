import type { Example } from "../system.ts";
import { lookSeconds } from "./goal.ts";
import { stagedUpgradeTable, upgradeHostTable } from "./table.ts";

/** The transitions of a staged upgrade for the documents and the tests. */
export const upgradeExamples: Readonly<Record<string, Example>> = {
  "upgrade-host": {
    lookSeconds,
    title: "Staged upgrade: preparing a host (with software)",
    table: upgradeHostTable("scalr", "demo/scalr"),
  },
  upgrade: {
    lookSeconds,
    title: "Staged upgrade: one version on all hosts (also for going back)",
    table: stagedUpgradeTable(
      {
        name: "scalr",
        main: "db",
        others: ["app1", "app2", "proxy", "worker"],
        groups: [
          ["app1", "app2"],
          ["proxy", "worker"],
        ],
        smoke: [{ name: "farm", on: "app1", seconds: 60, command: "farm launch", cleanUp: "farm terminate" }],
      },
      {
        stop: 300,
        package: 1800,
        reconfigure: 3600,
        healthy: 300,
        backup: 14400,
        backupMinutes: 60,
        silenceMinutes: 240,
        back: "",
      },
    ),
  },
};
