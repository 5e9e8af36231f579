import { describe, expect, it } from "vitest";
import { isNameOfTheMachine } from "../../config/machine.ts";
import { configProblems } from "../support/config-problems.ts";
import { committedStack } from "../support/stack-file.ts";

type Keys = Record<string, unknown>;

const dev = () => structuredClone(committedStack("Pulumi.dev.yaml")) as Keys;

/** A stack file with one value changed. @param path below `changeover:`, with dots; a key with dots comes last. */
function changed(path: readonly string[], value: unknown): Keys {
  const keys = dev();
  const last = path.at(-1) ?? "";
  let place: Keys = keys;
  for (const key of path.slice(0, -1)) place = (place[key] ??= {}) as Keys;
  place[last] = value;
  return keys;
}

/** A stack file with an entry under another name, and what names it. */
function called(key: string, old: string, name: string): Keys {
  const keys = dev();
  const entries = keys[key] as Keys;
  entries[name] = entries[old];
  Reflect.deleteProperty(entries, old);
  const pool = Object.values(keys.appPools as Keys)[0] as Keys;
  if (pool.database === old) pool.database = name;
  if (pool.cache === old) pool.cache = name;
  return keys;
}

const folders: Readonly<Record<string, readonly string[]>> = {
  "a directory of a pair": ["pairs", "sounz", "directories", "more"],
  "the data of an index": ["pairs", "sounz", "indexes", "apollo", "data"],
  "a brick": ["sharedVolumes", "styles", "brick"],
  "a mount": ["sharedVolumes", "styles", "mounts", "prodapp01"],
  "a folder of backups": ["stagedUpgrades", "scalr", "backup", "folder"],
};

const ofTheMachine = [
  ..."/ /root /home /home/admin /home/admin/.ssh /etc /etc/ssh /etc/sudoers.d /etc/changeover /tmp /tmp/x".split(
    " ",
  ),
  ..."/usr /usr/bin /usr/local /usr/local/lib/changeover /usr/local/sbin /usr/lib/systemd /bin /sbin /lib/x".split(
    " ",
  ),
  ..."/var /var/lib /var/lib/dpkg /var/lib/dpkg/info /var/lib/changeover /var/lib/postgresql/15".split(" "),
  ..."/var/run /var/log /var/spool/cron /var/lib/glusterd /run/x /proc/1 /sys/x /dev/shm /boot /opt /opt/changeover".split(
    " ",
  ),
  ..."/srv /mnt /media /deploy /deploy/crossbow /deploy/crossbow/releases /deploy/crossbow/archives/x".split(
    " ",
  ),
  ..."/.. /data/../etc /data/./x /data//x /data/ data ./data /data/.ssh /usr/share/keyrings /usr/share/perl5".split(
    " ",
  ),
  "/data x",
  "/data\n",
  "/data\u0000",
];

describe.each(Object.entries(folders))("%s", (_, path) => {
  it.each(ofTheMachine.map((folder) => [folder]))("is not %j", (folder) => {
    const problems = configProblems(changed(path, folder));
    expect(problems.join("\n")).toContain(`changeover:${path.join(".")}`);
  });

  it.each([
    "/data7/x",
    "/srv/x",
    "/var/lib/x/data",
    "/usr/share/x",
    "/opt/x/data",
    "/var/www",
    "/home/x/data",
    "/m",
  ])("may be %s", (folder) => {
    expect(configProblems(changed(path, folder))).toEqual([]);
  });
});

const machineNames =
  "ssh sshd cron dbus networking haproxy postgresql postgres nginx mysql memcached glusterd systemd apt ssl default \
   security pam skel network docker getty rsyslog nftables udev user root changeover".split(/\s+/);

describe.each([
  ["pairs", "sounz"],
  ["appPools", "crossbow"],
  ["sharedVolumes", "styles"],
  ["caches", "sessions"],
  ["stagedUpgrades", "scalr"],
])("an entry of %s", (key, old) => {
  it.each([
    ...machineNames,
    "shop-eu",
    "Shop",
    "-x",
    "_x",
    "1x",
    "a b",
    "a\nb",
    "a.b",
    "../x",
    "",
    "x".repeat(32),
  ])("is not called %j", (name) => {
    expect(configProblems(called(key, old, name)).join("\n")).toContain("is not allowed as a name");
  });

  it.each(["shop", "shop_eu", "kete", "tng", "apollo", "exportal"])("may be called %s", (name) => {
    expect(configProblems(called(key, old, name))).toEqual([]);
  });
});

it("the names of the machine are those with hyphens too", () => {
  expect(["systemd-journald", "unattended-upgrades", "wpa-supplicant"].every(isNameOfTheMachine)).toBe(true);
});

const service = ["pairs", "sounz", "services", "apollo", "unit"];
const pool = ["appPools", "crossbow"];
const upgrade = ["stagedUpgrades", "scalr"];

it.each([
  [service, "ssh"],
  [service, "ssh.service"],
  [service, "dbus"],
  [service, "systemd-journald"],
  [service, "changeover-watch-sounz"],
  [service, "postgresql"],
  [service, "postgresql@15-sounz"],
  [service, "getty@"],
  [service, "--force"],
  [service, "-x"],
  [["caches", "sessions", "reloads"], ["ssh.service"]],
  [["caches", "sessions", "reloads"], ["--now.service"]],
  [[...pool, "owner"], "root"],
  [[...pool, "owner"], "postgres"],
  [[...pool, "owner"], "systemd-network"],
  [[...pool, "ownerUid"], 1],
  [["sharedVolumes", "styles", "owner"], "daemon"],
  [[...pool, "links"], { "public/styles": "../../../etc" }],
  [[...pool, "links"], { "../x": "system/styles" }],
  [[...pool, "links"], { ".": "system/styles" }],
  [[...pool, "links"], { bin: "system/styles" }],
  [[...pool, "links"], { "bin/x": "system/styles" }],
  [[...pool, "links"], { REVISION: "system/styles" }],
  [[...pool, "links"], { public: "a", "public/styles": "b" }],
  [[...pool, "links"], { one: "a", two: "a/b" }],
  [[...pool, "settings"], { LD_PRELOAD: "/tmp/x.so" }],
  [[...pool, "settings"], { PYTHONPATH: "/tmp" }],
  [[...pool, "settings"], { BASH_ENV: "/tmp/x" }],
  [[...pool, "settings"], { PATH: "/tmp" }],
  [[...pool, "settings"], { DATABASE_PASSWORD: "hunter2" }],
  [[...pool, "settings"], { SMTP_PASSWORD: "hunter2" }],
  [[...pool, "settings"], { API_TOKEN: "x" }],
  [[...pool, "settings"], { PORT: "22" }],
  [[...pool, "settings"], { "a b": "x" }],
  [[...pool, "settings"], { NAME: "x\u001b[2J" }],
  [[...pool, "reaches"], { solr: "-x:80" }],
  [[...pool, "host"], "-x"],
  [[...pool, "software"], "-rf/x"],
  [[...pool, "releases", "4684", "archive"], "-x.tar.gz"],
  [["pairs", "sounz", "interface"], "-x"],
  [["pairs", "sounz", "database"], "all"],
  [["pairs", "sounz", "database"], "replication"],
  [["pairs", "sounz", "database"], "changeover_check"],
  [["pairs", "sounz", "copyAt"], "--x"],
  [["pairs", "sounz", "checks", "front-page", "host"], "-x"],
  [["pairs", "sounz", "checks", "front-page", "path"], "/x\u0000"],
  [["pairs", "sounz", "acceptDataLoss"], "13: be\u001bcause"],
  [[...upgrade, "commands", "stop"], "stop all\u0000"],
  [[...upgrade, "commands", "stop"], "stop \u001b]0;x"],
  [[...upgrade, "smoke", "farm", "command"], "x\ry"],
  [[...upgrade, "database", "dump"], "/opt/../bin/sh"],
  [[...upgrade, "database", "credentials"], "/etc/../x"],
  [[...upgrade, "selfReconfigure"], "/etc/passwd"],
  [[...upgrade, "selfReconfigure"], "/etc/ssh/sshd_config"],
  [[...upgrade, "selfReconfigure"], "/usr/bin/env"],
  [[...upgrade, "services", "app"], ["-x"]],
  [[...upgrade, "package"], "-x"],
  [["hosts", "none"], {}],
  [["hosts", "operator"], {}],
  [["hosts", "auto"], {}],
])("%j may not be %j", (path, value) => {
  expect(configProblems(changed(path, value))).not.toEqual([]);
});

it.each(["\n", "'", '"', "`", "\\", "\u0000", "\u001b"])(
  "the path of a private key has no %j",
  (character) => {
    const keys = {
      ...dev(),
      platform: "inventory",
      ssh: { privateKeyPath: `~/.ssh/id${character}ProxyCommand x` },
    };
    expect(configProblems(keys).join("\n")).toContain("changeover:ssh.privateKeyPath");
  },
);

it("a folder that two entries have on one host is refused, whatever their systems", () => {
  const data = ["pairs", "sounz", "directories", "data"];
  const keys = changed(data, "/data00/styles/x");
  (keys.pairs as Record<string, Keys>).sounz = {
    ...(keys.pairs as Record<string, Keys>).sounz,
    primary: "prodapp01",
    production: "prodapp01",
  };
  expect(configProblems(keys).join("\n")).toContain("overlaps changeover:");
  expect(configProblems(changed(data, "/data00/other"))).toEqual([]);
});

it("a pair may be called like a word of PostgreSQL if its database is not", () => {
  const keys = called("pairs", "sounz", "replication");
  expect(configProblems(keys).join("\n")).toContain("is not allowed as the name of a database");
  ((keys.pairs as Keys).replication as Keys).database = "shop";
  expect(configProblems(keys)).toEqual([]);
});
