import { describe, expect, it } from "vitest";
import {
  type Look,
  upgradeDifferences,
  type UpgradeExpected,
  describeUpgrade,
  type UpgradeSeen,
} from "../../components/staged-upgrade/verify.ts";

const expected: UpgradeExpected = {
  ran: [
    { version: "7.3.0-1", since: "2026-11-13T10:00:00Z", until: "2026-11-20T10:00:00Z" },
    { version: "7.4.0-1", since: "2026-11-20T10:00:00Z" },
  ],
  hosts: ["scalr-app1", "scalr-db"],
  main: "scalr-db",
  diskPercent: 80,
};
const seen: UpgradeSeen = {
  now_ms: 0,
  stack: "aa",
  claim: { id: "u1", epoch: 3, transition: "upgrade" },
  epoch: 3,
  done: { upgrade: "u1" },
  holder: null,
  configured: true,
  kind: "deb",
  installed: "7.4.0-1",
  whole: true,
  available: false,
  repository: null,
  held: false,
  disk_percent: 41,
  free_mib: 9000,
  needs_mib: null,
  supervisor: true,
  not_running: [],
  services_why: null,
  silenced: false,
  database: null,
  backup_percent_after: null,
  backup_age_s: null,
  backups: [],
  credentials: null,
  reconfigured: null,
  newer: null,
  data: null,
};
const look = (change: Partial<UpgradeSeen> = {}): Look => ({
  host: "scalr-app1",
  facts: { ...seen, ...change },
  skewMs: 0,
});
const lines = (change: Partial<UpgradeSeen>, state = expected) =>
  upgradeDifferences("scalr", state, [look(change)], () => "/opt/changeover/r1/scripts");

describe("a staged upgrade, compared with the state", () => {
  it("differs nowhere when the version is installed, all runs and alerts are heard", () => {
    expect(lines({})).toEqual([]);
  });

  it.each<[string, Partial<UpgradeSeen>, string]>([
    [
      "a package that somebody upgraded by hand",
      { installed: "7.4.1-1" },
      "has 7.4.1-1 installed, but the state says 7.4.0-1; install 7.4.0-1 there by hand, or on all hosts, which stops all services: npx pulumi up --replace '**::scalr-upgrade-id'",
    ],
    [
      "a package that is there by half",
      { whole: false },
      "has 7.4.0-1 half installed, but the state says 7.4.0-1; install 7.4.0-1 there by hand, or on all hosts, which stops all services: npx pulumi up --replace '**::scalr-upgrade-id'",
    ],
    [
      "services that do not run [000-081] [000-090]",
      { not_running: ["poller", "szrupdater"] },
      "not RUNNING: poller, szrupdater; read their logs, then start them",
    ],
    [
      "a status that says nothing",
      { services_why: "`status` took longer than 10 s" },
      "`status` took longer than 10 s",
    ],
    [
      "a supervisor that is down [000-054] [000-091]",
      { supervisor: false },
      "supervisor does not run; start it",
    ],
    [
      "a database that does not answer",
      { database: "the database gave no answer within 10 s" },
      "the database gave no answer within 10 s",
    ],
    [
      "a disk that is fuller than allowed [000-047] [000-092]",
      { disk_percent: 81 },
      "has 81 % of its disk in use (allowed: 80 %)",
    ],
    [
      "a silence that was left",
      { silenced: true },
      "alerts are silent; if no upgrade is running, turn them on again: bash /opt/changeover/r1/scripts/upgrade/silence-alerts.sh scalr scalr off",
    ],
    [
      "a host that lost its settings",
      { configured: false },
      "has no settings for scalr; start its transition again: npx pulumi up --replace '**::scalr-scalr-app1-host-id'",
    ],
  ])("tells %s", (_, change, line) => {
    expect(lines(change)).toEqual([`scalr-app1: ${line}`]);
  });

  it("tells all that differs on a host; who gives no answer is told elsewhere", () => {
    expect(lines({ installed: null, supervisor: false, disk_percent: 99 })).toHaveLength(3);
    const dead = { host: "scalr-db", failure: "gave no answer within 10 s" };
    expect(upgradeDifferences("scalr", expected, [look(), dead], () => "")).toEqual([]);
  });

  it("has no version to compare with before one has passed its checks", () => {
    expect(lines({ installed: "7.2.0-1" }, { ...expected, ran: [] })).toEqual([
      "no version has passed its checks yet; run: npx pulumi up",
    ]);
  });
});

describe("a host of a staged upgrade, in words", () => {
  const inWords = ({ facts }: Look) => describeUpgrade(facts!);

  it("is told in one line", () => {
    expect(inWords(look())).toBe("7.4.0-1 installed, 41 % of the disk in use, all services RUNNING");
    const all = {
      installed: null,
      supervisor: false,
      not_running: ["poller"],
      backup_age_s: 7300,
      silenced: true,
    };
    expect(inWords(look(all))).toBe(
      "nothing installed, 41 % of the disk in use, not RUNNING: poller, no supervisor, last verified backup 2 h old, alerts are silent",
    );
    expect(inWords(look({ configured: false }))).toBe("has no settings of the upgrade");
  });
});
