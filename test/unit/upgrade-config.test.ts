import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { parseConfig } from "../../config.ts";
import type { LocalConfig } from "../../platforms/local/config.ts";
import type { StackKeys } from "../../tools/workshop/rehearsal.ts";
import { upgradePart } from "../../tools/workshop/rehearse-upgrade.ts";
import { configProblems } from "../support/config-problems.ts";
import { roles, scalr, scalrHosts } from "../support/scalr.ts";
import { committedStack, stackKeys } from "../support/stack-file.ts";

const hosts = Object.fromEntries([...Object.keys(scalrHosts), "other"].map((name) => [name, {}]));

const stack = (change: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  platform: "local",
  hosts,
  stagedUpgrades: { scalr: scalr(change) },
  ...more,
});
const problems = (...args: Parameters<typeof stack>) => configProblems(stack(...args));

describe("a staged upgrade in a stack file", () => {
  it("is five hosts of the development stack, on which all of the seed's services run [000-082]", () => {
    const { hosts: all, stagedUpgrades } = parseConfig(committedStack("Pulumi.dev.yaml"), "Pulumi.dev.yaml");
    const { hosts: own, services, kinds } = stagedUpgrades.scalr ?? {};
    const { all: _, ...byRole } = roles;
    expect(own).toEqual(scalrHosts);
    expect(services).toEqual(byRole);
    expect(kinds).toEqual({ "scalr-proxy": "rpm" });
    const taking = Object.entries(all as LocalConfig["hosts"]).filter(([, host]) =>
      host.packages?.includes("dnf"),
    );
    expect(taking.map(([name]) => name)).toEqual(["scalr-proxy"]);
  });

  it("is a whole stack when the rehearsal takes it and its hosts out of the development stack", () => {
    const dev = Object.entries(committedStack("Pulumi.dev.yaml"));
    const all = Object.fromEntries(dev.map(([key, value]) => [`changeover:${key}`, value])) as StackKeys;
    const alone = parseConfig(stackKeys(stringify({ config: upgradePart(all) })), "Pulumi.test.yaml");
    expect(Object.keys(alone.hosts).sort()).toEqual(Object.keys(scalrHosts).sort());
    expect(alone.stagedUpgrades.scalr?.version).toBe("7.3.0-1");
    expect({ ...alone.pairs, ...alone.appPools, ...alone.sharedVolumes, ...alone.caches }).toEqual({});
  });

  it("has limits, places and a threshold that it need not name [000-013] [000-047] [000-093]", () => {
    expect(parseConfig(stack(), "Pulumi.test.yaml").stagedUpgrades.scalr).toMatchObject({
      diskPercent: 80,
      backup: { folder: "/var/backups/scalr", keep: 2, maxAgeMinutes: 60 },
      silence: { minutes: 240 },
      seconds: { stop: 300, package: 1800, reconfigure: 3600, healthy: 300 },
    });
  });

  it.each([
    [
      "a version that is none",
      { version: "latest" },
      /^changeover:stagedUpgrades\.scalr\.version: "latest" is not allowed; allowed: an exact version/,
    ],
    [
      "a version with words behind",
      { version: "7.4.0-1; reboot" },
      /version: "7\.4\.0-1; reboot" is not allowed/,
    ],
    [
      "a host that is none",
      { hosts: { ...scalrHosts, megadeth: "app" } },
      /hosts\.megadeth: "megadeth" is not a host in this file/,
    ],
    [
      "a role without services",
      { hosts: { ...scalrHosts, other: "cache" } },
      /hosts\.other: "cache" has no entry in services; allowed: /,
    ],
    [
      "a main host that is elsewhere",
      { main: "other" },
      /main: "other" is not a host of this upgrade; allowed: scalr-db, /,
    ],
    [
      "a test on a host that is elsewhere",
      { smoke: { farm: { on: "other", command: "true" } } },
      /smoke\.farm\.on: "other" is not a host of this upgrade/,
    ],
    [
      "a script that is none",
      { software: "../scalr" },
      /software: "\.\.\/scalr" is not allowed; allowed: the path of a folder with install\.sh, from Pulumi\.yaml, such as demo\/scalr$/,
    ],
    [
      "a silence that nobody ends",
      { silence: { on: "quiet" } },
      /silence\.off: missing; silence\.on is set, and one needs the other/,
    ],
    [
      "an override for another version",
      { soak: { stack: "org/changeover/dev", override: "7.2.0-1: hurry" } },
      /soak\.override: "7\.2\.0-1: hurry" is not for version 7\.3\.0-1; write "7\.3\.0-1: why", or remove it/,
    ],
    [
      "a loss without a reason",
      { acceptDataLoss: "20261122T031500" },
      /acceptDataLoss: "20261122T031500" is not allowed; allowed: the backup that the refusal names, and a reason/,
    ],
    [
      "a folder with words behind",
      { folder: "/opt/x; rm -r /" },
      /folder: "\/opt\/x; rm -r \/" is not allowed/,
    ],
  ])("refuses %s", (_, change, why) => {
    const found = problems(change);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(why);
  });

  it("refuses a name that another component has, a host out of service, and the same package twice on a host", () => {
    expect(
      problems({}, { caches: { scalr: { nodes: { other: "in" }, clients: ["other"] } } }),
    ).toContainEqual(
      expect.stringMatching(/stagedUpgrades\.scalr: "scalr" is changeover:caches\.scalr already/),
    );
    expect(problems({}, { absent: ["scalr-worker"] })).toContainEqual(
      expect.stringMatching(
        /absent\[0\]: "scalr-worker" is changeover:stagedUpgrades\.scalr\.hosts\.scalr-worker/,
      ),
    );
    expect(problems({}, { stagedUpgrades: { scalr: scalr(), second: scalr() } })).toEqual([
      'changeover:stagedUpgrades.second.package: changeover:stagedUpgrades.scalr already upgrades "scalr-server" on scalr-db; allowed: one upgrade of a package on each host',
    ]);
  });

  it("is refused on aws, where nothing opens its ports", () => {
    expect(problems({}, { platform: "aws" })).toContainEqual(
      expect.stringMatching(/^changeover:stagedUpgrades\.scalr: not made on aws yet/),
    );
  });
});
