import { describe, expect, it } from "vitest";
import {
  type Backup,
  decideUpgrade,
  type UpgradeFacts,
  type UpgradeWanted,
} from "../../components/staged-upgrade/decide.ts";
import { settingsOf, upgradeGoal } from "../../components/staged-upgrade/goal.ts";
import type { StagedUpgrade } from "../../components/staged-upgrade/config.ts";
import { parseConfig } from "../../config.ts";
import { declaredFor, planned } from "../support/declared.ts";
import { roles, scalr, scalrHosts } from "../support/scalr.ts";

const hosts = Object.fromEntries(Object.keys(scalrHosts).map((name) => [name, {}]));
const keys = (change: Record<string, unknown> = {}, more: object = hosts) => ({
  platform: "local",
  hosts: more,
  stagedUpgrades: { scalr: scalr(change) },
});
const declared = (...args: Parameters<typeof keys>) => declaredFor(keys(...args));
const config = (change: Record<string, unknown> = {}) =>
  parseConfig(keys(change), "Pulumi.test.yaml").stagedUpgrades.scalr as StagedUpgrade;

const wanted: UpgradeWanted = {
  component: "scalr",
  transition: "upgrade",
  stack: "aa",
  name: "scalr",
  package: "scalr-server",
  version: "7.4.0-1",
  main: "scalr-db",
  diskPercent: 80,
  back: "",
};
const facts: UpgradeFacts = {
  now_ms: 0,
  stack: "aa",
  claim: null,
  done: {},
  holder: null,
  epoch: 3,
  configured: true,
  kind: "deb",
  installed: "7.3.0-1",
  available: true,
  repository: null,
  held: false,
  disk_percent: 41,
  free_mib: 9000,
  needs_mib: 300,
  supervisor: true,
  not_running: [],
  backup_percent_after: null,
  backup_age_s: null,
  backups: [],
  credentials: null,
  reconfigured: null,
  newer: null,
  data: null,
};
const onMain: Partial<UpgradeFacts> = {
  backup_percent_after: 55,
  data: true,
  reconfigured: "7.3.0-1",
  newer: false,
};
const looks = (change: Readonly<Record<string, Partial<UpgradeFacts>>> = {}) =>
  Object.keys(scalrHosts).map((host) => ({
    host,
    facts: { ...facts, ...(host === "scalr-db" ? onMain : {}), ...change[host] },
    skewMs: 0,
  }));
const backup = (id: string, version: string): Backup => ({ id, version, tables: 12 });

describe("whether a version may come to all hosts", () => {
  it("says what is there now, and claims the next epoch [000-049] [000-059]", () => {
    const { refusals, notes, epoch } = decideUpgrade(
      looks({
        "scalr-app2": { installed: "7.2.0-1", not_running: ["poller"] },
        "scalr-db": { ...onMain, backup_age_s: 7300 },
      }),
      wanted,
    );
    expect(refusals).toEqual([]);
    expect(epoch).toBe(4);
    expect(notes).toEqual([
      "installed now: scalr-db 7.3.0-1, scalr-app1 7.3.0-1, scalr-app2 7.2.0-1, scalr-worker 7.3.0-1, scalr-proxy 7.3.0-1 (mixed)",
      "scalr-db: 41 % of the disk in use, 55 % after the backup",
      ...["scalr-app1", "scalr-app2", "scalr-worker", "scalr-proxy"].map(
        (name) => `${name}: 41 % of the disk in use`,
      ),
      "scalr-app2: not RUNNING now: poller",
      "last verified backup is 2 h old",
    ]);
  });

  it("refuses a host whose clock is beside the main host's, which says when the backup was made", () => {
    const skewed = looks().map((look) => ({
      ...look,
      skewMs: look.host === "scalr-app1" ? -3_600_000 : 120_000,
      skewErrorMs: 40,
    }));
    expect(decideUpgrade(skewed, wanted).refusals).toEqual([
      "scalr-app1 has a clock that is -3720 s beside the one of scalr-db (allowed: 60 s); set the clock, and repair time synchronisation",
    ]);
  });

  it.each([
    [
      "a disk that is fuller than allowed [000-047] [000-049]",
      "scalr-app1",
      { disk_percent: 81 },
      "scalr-app1 has 81 % of its disk in use (allowed: 80 %); make room first",
    ],
    [
      "a backup that would fill the disk [000-092]",
      "scalr-db",
      { ...onMain, backup_percent_after: 93 },
      "scalr-db would have 93 % of its disk in use after the backup (allowed: 80 %); make room, or set another backup.folder",
    ],
    [
      "a package that no repository offers [000-032]",
      "scalr-proxy",
      { available: false },
      "scalr-proxy has no repository that offers scalr-server 7.4.0-1; allowed: a version that every host can get",
    ],
    [
      "a repository that can't be read",
      "scalr-proxy",
      { available: false, repository: "timed out" },
      "scalr-proxy can't read its package repositories: timed out; fix that first",
    ],
    [
      "a package that is held",
      "scalr-app2",
      { held: true },
      "scalr-app2 holds scalr-server at its installed version; release the hold first",
    ],
    [
      "too little room for the package",
      "scalr-app2",
      { free_mib: 200 },
      "scalr-app2 has 200 MiB free (needed for the package: 300 MiB); make room first",
    ],
    [
      "a login that makes no backup [000-010] [000-011]",
      "scalr-db",
      { ...onMain, credentials: "/etc/x is mode 0644" },
      "scalr-db can't make a backup: /etc/x is mode 0644; fix that first",
    ],
    [
      "a host that has no package manager [000-019]",
      "scalr-app2",
      { kind: null },
      "scalr-app2 has no package manager for the package; allowed: apt-get, dnf or yum",
    ],
    [
      "a main database that was lost with its machine",
      "scalr-db",
      { ...onMain, installed: null, data: null, reconfigured: null, newer: null },
      "scalr-db shows no tables of the main database, but other hosts run the package; an upgrade would start with an empty database. Restore the data on scalr-db, and install the version that ran there",
    ],
  ])("refuses %s", (_, host, change, why) => {
    expect(decideUpgrade(looks({ [host]: change }), wanted).refusals).toEqual([why]);
  });

  it("refuses with all that is wrong at once, and with a host that gives no answer", () => {
    const all = looks({ "scalr-app1": { held: true, disk_percent: 90 } });
    const { refusals } = decideUpgrade(
      [...all.slice(0, 4), { host: "scalr-proxy", failure: "gave up after 8 s" }],
      wanted,
    );
    expect(refusals).toHaveLength(3);
    expect(refusals).toContain("scalr-proxy: gave up after 8 s");
  });

  it("begins where nothing is installed yet, on an empty database", () => {
    const none = { installed: null, data: null, reconfigured: null, newer: null };
    const all = Object.fromEntries(Object.keys(scalrHosts).map((name) => [name, none]));
    expect(
      decideUpgrade(looks({ ...all, "scalr-db": { ...none, credentials: "missing" } }), wanted).refusals,
    ).toEqual([]);
  });
});

describe("the way back past a migration [000-029]", () => {
  const back = { ...wanted, version: "7.3.0-1" };
  const migrated = (...backups: Backup[]) => ({
    "scalr-db": { ...onMain, reconfigured: "7.4.0-1", newer: true, backups },
  });
  const both = [backup("20261122T031500", "7.3.0-1"), backup("20261101T020000", "7.3.0-1")];

  it("is refused without a word that the loss is accepted, with the line to write", () => {
    const { refusals } = decideUpgrade(looks(migrated(...both)), back);
    expect(refusals).toEqual([
      'scalr-db was migrated by 7.4.0-1, so 7.3.0-1 needs a backup of 7.3.0-1; everything written after that backup is lost (backups of 7.3.0-1: 20261122T031500, 20261101T020000). To accept the loss, set in changeover:stagedUpgrades.scalr: acceptDataLoss: "20261122T031500: why"',
    ]);
  });

  it("goes by a backup of that version that the file names, and by no other", () => {
    const ok = decideUpgrade(looks(migrated(...both)), { ...back, back: "20261122T031500" });
    expect(ok.refusals).toEqual([]);
    expect(ok.notes.at(-1)).toMatch(
      /goes back to backup 20261122T031500; everything written after that is lost/,
    );
    const other = decideUpgrade(looks(migrated(...both)), { ...back, back: "20250101T000000" });
    expect(other.refusals[0]).toContain("the stack file names 20250101T000000");
    const none = decideUpgrade(looks(migrated(backup("20261122T031500", "7.2.0-1"))), back);
    expect(none.refusals).toEqual([
      "scalr-db was migrated by 7.4.0-1 and has no verified backup of 7.3.0-1; allowed: 7.4.0-1 or newer",
    ]);
  });

  it("needs none before the migration, and says that a line in the file is old", () => {
    expect(decideUpgrade(looks(), back).refusals).toEqual([]);
    const { refusals, notes } = decideUpgrade(looks(), { ...back, back: "20261122T031500" });
    expect(refusals).toEqual([]);
    expect(notes.at(-1)).toBe(
      "acceptDataLoss names backup 20261122T031500, but no restore is needed; remove it from the stack file",
    );
  });
});

describe("what a host is told", () => {
  it("is its role's services and how they are operated; the main host alone is told of backups [000-005] [000-026] [000-060] [000-061] [000-062] [000-063] [000-064] [000-065] [000-066] [000-067] [000-068] [000-069] [000-070] [000-071] [000-072] [000-073] [000-074] [000-075] [000-076] [000-077] [000-078] [000-079] [000-082]", () => {
    const told = Object.keys(scalrHosts).map((host) => settingsOf(config(), host));
    expect(told.map(({ main }) => main)).toEqual(["yes", "no", "no", "no", "no"]);
    expect(told.filter((one) => "credentials" in one || "dump" in one)).toHaveLength(1);
    const services = new Set(told.flatMap((one) => (one.services ?? "").split(" ")));
    expect([...services].sort()).toEqual(
      [
        ...[
          "analytics_poller",
          "analytics_processor",
          "beat",
          "dbqueue",
          "license-manager",
          "monitor",
          "msgsender",
        ],
        ...[
          "plotter",
          "poller",
          "scalr-crond",
          "scalr-httpd",
          "scalr-influxdb",
          "scalr-memcached",
          "scalr-mysql",
        ],
        ...["scalr-nginx", "scalr-rabbitmq", "scalr-rrd", "szrupdater", "workflow-engine", "zmq_service"],
      ].sort(),
    );
    expect(Object.values(roles).flat().length).toBeGreaterThanOrEqual(20);
  });

  it("comes after its software, whose script learns its role and where all hosts are", async () => {
    const all = await declared();
    const script = all.find(({ name }) => name === "scalr-scalr-proxy-host-software-scalr-proxy");
    expect(script?.inputs.create).toMatch(
      / 900 software\/\w+\/scalr\/install scalr-scalr-proxy scalr proxy 192\.0\.2\.1 app=192\.0\.2\.2 app=192\.0\.2\.3 database=192\.0\.2\.1 proxy=192\.0\.2\.5 worker=192\.0\.2\.4$/,
    );
    expect(
      all.find(({ name }) => name === "scalr-scalr-proxy-host-configure-scalr-proxy")?.dependsOn,
    ).toContain(script?.name);
    const none = await declared({ software: undefined });
    expect(none.map(({ name }) => name).filter((name) => /software|shared/.test(name))).toEqual([]);
  });

  it("is told of the silence on one host, the main one unless another is named [000-095]", () => {
    const quiet = { on: "quiet", off: "loud" };
    const telling = (silence: object) =>
      Object.keys(scalrHosts).filter((host) => settingsOf(config({ silence }), host).silence === "quiet");
    expect(telling(quiet)).toEqual(["scalr-db"]);
    expect(telling({ ...quiet, from: "scalr-proxy" })).toEqual(["scalr-proxy"]);
  });

  it("has groups of at most so many hosts at once", () => {
    expect(upgradeGoal("scalr", config({ parallel: 3 })).groups).toEqual([
      ["scalr-app1", "scalr-app2", "scalr-proxy"],
      ["scalr-worker"],
    ]);
  });
});

describe("the run-book of an upgrade", { timeout: 60_000 }, () => {
  it("is planned by another version, and by nothing that is told to hosts besides", async () => {
    const steps = planned(await declared(), await declared({ version: "7.4.0-1" }));
    expect(steps.length).toBeGreaterThan(30);
    expect(steps.filter((name) => !name.startsWith("scalr-upgrade-"))).toEqual([]);
    const quiet = {
      acceptDataLoss: "20261122T031500: bad",
      smoke: {},
      diskPercent: 70,
      parallel: 4,
      seconds: { stop: 10 },
      silence: { minutes: 30 },
    };
    const others = planned(await declared(), await declared(quiet));
    expect(others.filter((name) => name.startsWith("scalr-upgrade-"))).toEqual([]);
    expect(others.filter((name) => !/^scalr-[a-z0-9-]+-host-/.test(name))).toEqual([]);
  });

  it("is of nobody while a host is unreachable: what is still to run of it fails before anything is dialled", async () => {
    for (const lost of ["scalr-db", "scalr-worker"]) {
      const away = await declaredFor({ ...keys({ version: "7.4.0-1" }), unreachable: [lost] });
      const runs = away
        .filter(({ name }) => name.startsWith("scalr-upgrade-"))
        .flatMap(({ name, inputs }) =>
          inputs.create === undefined ? [] : [{ name, create: inputs.create }],
        );
      expect(runs.length).toBeGreaterThan(20);
      for (const { name, create } of runs)
        expect(create, name).toMatch(
          new RegExp(
            `^printf .*refused: scalr: upgrade stays as it is while ${lost} is in changeover:unreachable.*exit 77$`,
          ),
        );
    }
  });

  it("is of a new host's own steps when one is added: nobody else stops", async () => {
    const more = { ...hosts, "scalr-app3": {} };
    const steps = planned(
      await declared({}, more),
      await declared({ hosts: { ...scalrHosts, "scalr-app3": "app" } }, more),
    );
    expect(steps).toContain("scalr-upgrade-package-scalr-app3");
    expect(steps.filter((name) => !name.includes("scalr-app3"))).toEqual([]);
  });
});
