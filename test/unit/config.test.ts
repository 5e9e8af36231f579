import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError, parseConfig, readConfig } from "../../config.ts";
import type { AwsConfig } from "../../platforms/aws/config.ts";
import { archiveOf, demoReleases, filesOf } from "../../tools/workshop/demo-releases.ts";
import { committedStack, stackKeys } from "../support/stack-file.ts";

const keys = {
  slayer: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
  megadeth: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/",
};

const pair = { primary: "slayer", secondary: "megadeth", production: "slayer", serviceAddress: "192.0.2.46" };

const inventory = (changes: Record<string, unknown> = {}) => ({
  platform: "inventory",
  hosts: {
    slayer: { address: "192.0.2.11", hostKey: keys.slayer },
    megadeth: { address: "192.0.2.12", hostKey: keys.megadeth },
  },
  pairs: { sounz: pair },
  ...changes,
});

/** The whole message about a stack file, or "right". */
function verdict(raw: Record<string, unknown>): string {
  try {
    parseConfig(raw, "Pulumi.test.yaml");
    return "right";
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
}

const onePair = (changes: Record<string, unknown>) =>
  verdict(inventory({ pairs: { sounz: { ...pair, ...changes } } }));

const one = (line: string) => `Pulumi.test.yaml has 1 problem; nothing was touched:\n  ${line}`;

const carriesNothing = {
  replication: "streaming",
  directories: {},
  rsyncPort: 18993,
  indexes: {},
  services: {},
  checks: {},
  finalSync: "attempt",
  copyAt: "*:0/15",
  maxCopyAgeMinutes: 1560,
};

const logs = "/var/log/sounz";
const site = {
  software: "demo/sounz",
  directories: { data: "/data/sounz", home: "/usr/share/sounz" },
  indexes: { apollo: { core: "apollo", data: "/var/lib/apollo/apollo/data", port: 8983, rsyncPort: 18983 } },
  services: {
    apollo: { unit: "apollo", on: "both", ports: [8983], logs: ["/var/log/apollo/apollo.log"] },
    mongrel: {
      unit: "sounz-app@",
      on: "production",
      ports: [8001, 8002],
      portsAs: "MONGREL_PORTS",
      logs: [],
    },
    apache: {
      unit: "apache2",
      on: "production",
      ports: [80],
      logs: [`${logs}/apache2/sounz.org.nz-error.log`, `${logs}/sounz-general.log`],
    },
  },
  checks: {
    "front-page": {
      path: "/",
      port: 80,
      host: "sounz.org.nz",
      status: 200,
      contains: "SOUNZ",
      logs: [`${logs}/apache2/sounz.org.nz-access.log`, `${logs}/sounz-app/production.log`],
    },
  },
};

describe("the committed stack files", () => {
  it("dev is local and names the pair, with every default filled in [004-002] [004-004] [004-005] [004-006] [004-007] [004-016] [004-017]", () => {
    const pair = {
      hosts: { slayer: {}, megadeth: {} },
      appPools: {},
      sharedVolumes: {},
      caches: {},
      searchClusters: {},
      stagedUpgrades: {},
    };
    const dev = { ...committedStack("Pulumi.dev.yaml"), ...pair };
    expect(parseConfig(dev, "Pulumi.dev.yaml")).toEqual({
      platform: "local",
      hosts: { slayer: {}, megadeth: {} },
      pairs: {
        sounz: {
          primary: "slayer",
          secondary: "megadeth",
          production: "slayer",
          serviceAddress: ".46",
          database: "sounz",
          port: 5432,
          peerPort: 5480,
          interface: "auto",
          clients: [],
          checksFrom: "operator",
          maxLagMiB: 16,
          maxClockSkewSeconds: 5,
          minFreeMiB: 512,
          synchronous: false,
          ...carriesNothing,
          ...site,
        },
      },
      appPools: {},
      sharedVolumes: {},
      caches: {},
      searchClusters: {},
      stagedUpgrades: {},
      unreachable: [],
      suspect: [],
      absent: [],
    });
  });

  it("dev has the site of the seed: one balancer, two app servers, the styles on both, sessions on both [001-014] [001-015] [001-017] [001-080]", () => {
    const { appPools, sharedVolumes, caches } = parseConfig(
      committedStack("Pulumi.dev.yaml"),
      "Pulumi.dev.yaml",
    );
    expect(appPools.crossbow).toMatchObject({
      balancers: ["websvr"],
      servers: { prodapp01: "in", prodapp02: "in" },
      owner: "expprodl",
      host: "www.learnexa.com",
      links: { "public/styles": "system/styles" },
      database: "sounz",
    });
    expect(sharedVolumes.styles?.mounts).toEqual({
      prodapp01: "/deploy/crossbow/shared/system/styles",
      prodapp02: "/deploy/crossbow/shared/system/styles",
    });
    expect(Object.keys(caches.sessions?.nodes ?? {})).toEqual(["prodapp01", "prodapp02"]);
  });

  it("dev names the archives that set-up packs, by their sums", () => {
    const { appPools } = parseConfig(committedStack("Pulumi.dev.yaml"), "Pulumi.dev.yaml");
    const named = Object.entries(appPools.crossbow?.releases ?? {}).map(([name, { sha256 }]) => [
      name,
      sha256,
    ]);
    const packed = Object.keys(demoReleases).map((name) => [
      name,
      createHash("sha256")
        .update(archiveOf(filesOf(name)))
        .digest("hex"),
    ]);
    expect(named).toEqual(packed);
  });

  it("prod is aws, with the bastion aud [002-023] and one machine of the pair in each zone", () => {
    const prod = parseConfig(committedStack("Pulumi.prod.yaml"), "Pulumi.prod.yaml");
    expect(prod.platform).toBe("aws");
    const { network, hosts } = prod as unknown as AwsConfig;
    expect(network.bastion).toBe("aud");
    expect(Object.entries(hosts).map(([name, { zone }]) => [name, zone])).toEqual([
      ["aud", "ap-southeast-2a"],
      ["slayer", "ap-southeast-2a"],
      ["megadeth", "ap-southeast-2b"],
    ]);
  });

  it("dev and prod say the same about the pair, but for how users reach it and who installs its software", () => {
    const {
      serviceAddress: _,
      software: _put,
      ...dev
    } = (committedStack("Pulumi.dev.yaml").pairs as Record<string, Record<string, unknown>>).sounz!;
    expect((committedStack("Pulumi.prod.yaml").pairs as Record<string, object>).sounz).toMatchObject(dev);
  });

  it.each(["dev", "prod"])("Pulumi.%s.yaml tells editors its schema", (stack) => {
    const text = readFileSync(join(import.meta.dirname, "..", "..", `Pulumi.${stack}.yaml`), "utf8");
    expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=docs/stack.schema.json");
  });
});

describe("a stack file with twenty mistakes", () => {
  const file = `
config:
  changeover:platform: inventory
  changeover:pears: {}
  changeover:unreachable: [slayer, metallica]
  changeover:ssh: { usr: root, privateKeyPath: keys/prod }
  changeover:hosts:
    slayer: { adress: 192.0.2.11, hostKey: ${keys.slayer}, bastion: aud }
    megadeth: { address: 192.0.2.300, hostKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5, port: ssh }
    Metallica: { address: 192.0.2.13, hostKey: ${keys.megadeth} }
    anthrax: { address: 192.0.2.13, hostKey: ${keys.megadeth}, user: Root }
  changeover:pairs:
    sounz:
      primary: slayr
      secondary: megadeth
      production: anthrx
      serviceAddress: .46
      prot: 5433
      clients: [192.0.2.1/24]
      checksFrom: operater
      maxLagMiB: lots
`;

  it("is refused with twenty lines", () => {
    const lines = [
      'changeover:hosts.Metallica: "Metallica" is not allowed as a name; allowed: lower-case letters, digits and hyphens, beginning with a letter (a host name)',
      'changeover:hosts.anthrax.address: "192.0.2.13" is changeover:hosts.Metallica.address already; each needs its own',
      'changeover:hosts.anthrax.hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICAhIiMkJSYnKCkqKywtLi8… is changeover:hosts.Metallica.hostKey already; each needs its own',
      'changeover:hosts.anthrax.user: "Root" is not allowed; allowed: a user name',
      'changeover:hosts.megadeth.address: "192.0.2.300" is not allowed; allowed: an IPv4 address',
      'changeover:hosts.megadeth.hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5" is not allowed; allowed: one line with one key, as in /etc/ssh/ssh_host_ed25519_key.pub on the machine (ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384, ecdsa-sha2-nistp521); print it with ssh-keyscan -t ed25519 ADDRESS 2>/dev/null, and compare the two',
      'changeover:hosts.megadeth.port: "ssh" is not allowed; allowed: a whole number from 1 to 65535',
      "changeover:hosts.slayer.adress: no such key; allowed: address, port, user, hostKey, bastion, fence; did you mean address?",
      'changeover:hosts.slayer.bastion: "aud" is not a host in this file; allowed: slayer, megadeth, Metallica, anthrax',
      'changeover:pairs.sounz.checksFrom: "operater" is not a host in this file; allowed: operator, slayer, megadeth, Metallica, anthrax; did you mean operator?',
      'changeover:pairs.sounz.clients[0]: "192.0.2.1/24" is not allowed; allowed: an IPv4 network whose host part is zero, for example 203.0.113.0/24',
      'changeover:pairs.sounz.maxLagMiB: "lots" is not allowed; allowed: a whole number from 1 to 1048576',
      'changeover:pairs.sounz.primary: "slayr" is not a host in this file; allowed: slayer, megadeth, Metallica, anthrax; did you mean slayer?',
      'changeover:pairs.sounz.production: "anthrx" is not a host in this file; allowed: slayer, megadeth, Metallica, anthrax; did you mean anthrax?',
      "changeover:pairs.sounz.prot: no such key; allowed: primary, secondary, production, serviceAddress, database, port, peerPort, interface, clients, checksFrom, maxLagMiB, maxClockSkewSeconds, minFreeMiB, synchronous, replication, directories, rsyncPort, indexes, services, checks, finalSync, software, copyAt, maxCopyAgeMinutes, acceptSplitBrainRisk, acceptDataLoss; did you mean port?",
      "changeover:pairs.sounz.serviceAddress: 0.46 is not allowed; allowed: an IPv4 address",
      "changeover:pears: no such key; allowed: platform, ssh, hosts, pairs, appPools, sharedVolumes, caches, searchClusters, stagedUpgrades, unreachable, suspect, absent, adopt; did you mean pairs?",
      'changeover:ssh.privateKeyPath: "keys/prod" is not allowed; allowed: an absolute path, or one that begins with ~/, without quotes and backslashes',
      "changeover:ssh.usr: no such key; allowed: user, privateKeyPath; did you mean user?",
      'changeover:unreachable[1]: "metallica" is not a host in this file; allowed: slayer, megadeth, Metallica, anthrax; did you mean Metallica?',
    ];
    expect(verdict(stackKeys(file))).toBe(
      ["Pulumi.test.yaml has 20 problems; nothing was touched:", ...lines.map((line) => `  ${line}`)].join(
        "\n",
      ),
    );
  });
});

describe("each rule", () => {
  it.each([
    ["right", {}, "right"],
    [
      "one machine",
      { secondary: "slayer" },
      'changeover:pairs.sounz.secondary: "slayer" is changeover:pairs.sounz.primary already; a host is one machine of sounz',
    ],
    [
      "two things on one port of a host",
      { peerPort: 5432 },
      "changeover:pairs.sounz.peerPort: 5432 is taken by changeover:pairs.sounz.port on slayer; name another",
    ],
    [
      "the port of sshd",
      { port: 22 },
      "changeover:pairs.sounz.port: 22 is taken by its sshd on slayer; name another",
    ],
    [
      "a host's own address as service address",
      { serviceAddress: "192.0.2.12" },
      'changeover:pairs.sounz.serviceAddress: "192.0.2.12" is changeover:hosts.megadeth.address already; each needs its own',
    ],
    [
      "PostgreSQL's own database",
      { database: "postgres" },
      'changeover:pairs.sounz.database: "postgres" is not allowed; allowed: a PostgreSQL identifier: lower-case letters, digits and underscores; no word of PostgreSQL (postgres, template1, all, replication, pg_…), not changeover…',
    ],
    [
      "no service address",
      { serviceAddress: undefined },
      "changeover:pairs.sounz.serviceAddress: missing; allowed: an IPv4 address",
    ],
  ])("of a pair: %s", (_, changes, expected) => {
    expect(onePair(changes)).toBe(expected === "right" ? expected : one(expected));
  });

  it.each([
    [
      "the machines' own folders",
      { directories: { var: "/var/lib" } },
      'changeover:pairs.sounz.directories.var: "/var/lib" is not allowed; allowed: an absolute path of letters, digits and . _ @ + -, of a folder of the application; none of the machine (/etc, /usr, /tmp, …), no home, no name with a dot first',
    ],
    [
      "one copy over another",
      { directories: { data: "/data", home: "/data/home" } },
      'changeover:pairs.sounz.directories.home: "/data/home" overlaps changeover:pairs.sounz.directories.data (/data) on "slayer"; name folders that do not overlap',
    ],
    [
      "a way out of a folder",
      { directories: { data: "/data/.." } },
      'changeover:pairs.sounz.directories.data: "/data/.." is not allowed; allowed: an absolute path of letters, digits and . _ @ + -, of a folder of the application; none of the machine (/etc, /usr, /tmp, …), no home, no name with a dot first',
    ],
    [
      "a module that rsync takes for its own settings",
      { directories: { global: "/data" } },
      'changeover:pairs.sounz.directories.global: "global" is not allowed as a name; allowed: at most 31 lower-case letters, digits, underscores and hyphens, beginning with a letter; not global',
    ],
    [
      "ports under a name of the scripts",
      { services: { web: { unit: "web@", ports: [8001], portsAs: "PATH" } } },
      'changeover:pairs.sounz.services.web.portsAs: "PATH" is not allowed; allowed: a name that ends with PORTS, such as MONGREL_PORTS',
    ],
    [
      "one unit with two roles",
      { services: { web: { unit: "web" }, site: { unit: "web.service", on: "both" } } },
      'changeover:pairs.sounz.services.site.unit: "web" is changeover:pairs.sounz.services.web.unit already; each needs its own',
    ],
    [
      "a Solr that the fence stops",
      {
        indexes: { apollo: { core: "apollo", data: "/var/lib/apollo" } },
        services: { solr: { unit: "apollo", ports: [8983] } },
      },
      "changeover:pairs.sounz.services.solr.on: production is not allowed: this port is the Solr of an index, which must run on both machines; allowed: both",
    ],
    [
      "a text of two lines",
      { checks: { front: { contains: "SOUNZ\nMusic" } } },
      'changeover:pairs.sounz.checks.front.contains: "SOUNZ\\nMusic" is not allowed; allowed: a text of one line',
    ],
  ])("of what a pair carries: %s", (_, changes, expected) => {
    expect(onePair(changes)).toBe(one(expected));
  });

  it.each([".1", ".100", "46", "192.0.2.46"])("of a local pair: the service address %s", (serviceAddress) => {
    const raw = {
      platform: "local",
      hosts: { slayer: {}, megadeth: {} },
      pairs: { sounz: { ...pair, serviceAddress } },
    };
    expect(verdict(raw)).toContain(
      `changeover:pairs.sounz.serviceAddress: "${serviceAddress}" is not allowed`,
    );
  });

  it("of a pair: a third machine is no production of it", () => {
    const { hosts } = inventory();
    const anthrax = { address: "192.0.2.13", hostKey: keys.slayer.replace("HR4f", "HR4e") };
    const pairs = { sounz: { ...pair, production: "anthrax" } };
    expect(verdict({ ...inventory({ pairs }), hosts: { ...hosts, anthrax } })).toBe(
      one(
        'changeover:pairs.sounz.production: "anthrax" is not a machine of the pair; allowed: slayer, megadeth',
      ),
    );
  });

  it("of two pairs: no port of a host and no service address twice", () => {
    expect(verdict(inventory({ pairs: { sounz: pair, archive: { ...pair, port: 5433 } } }))).toBe(
      [
        "Pulumi.test.yaml has 2 problems; nothing was touched:",
        "  changeover:pairs.archive.peerPort: 5480 is taken by changeover:pairs.sounz.peerPort on slayer; name another",
        '  changeover:pairs.archive.serviceAddress: "192.0.2.46" is changeover:pairs.sounz.serviceAddress already; each needs its own',
      ].join("\n"),
    );
  });

  it.each([
    [["megadeth"], {}, "right"],
    [
      ["slayer"],
      {},
      'changeover:pairs.sounz.production: "slayer" is in changeover:unreachable; name the other machine of the pair, or remove this one from the list',
    ],
    [["megadeth", "megadeth"], {}, 'changeover:unreachable[1]: "megadeth" is named twice; remove one'],
    [
      ["megadeth"],
      { checksFrom: "megadeth" },
      'changeover:pairs.sounz.checksFrom: "megadeth" is in changeover:unreachable; name another host, or operator',
    ],
  ])("of unreachable hosts: %j with %j", (unreachable, changes, expected) => {
    const message = verdict(inventory({ unreachable, pairs: { sounz: { ...pair, ...changes } } }));
    expect(message).toBe(expected === "right" ? expected : one(expected));
  });

  it.each([
    [["anthrax"], {}, "right"],
    [["anthrax"], { unreachable: ["anthrax"] }, "right"],
    [["anthrax", "anthrax"], {}, 'changeover:absent[1]: "anthrax" is named twice; remove one'],
    [
      ["anthrx"],
      {},
      'changeover:absent[0]: "anthrx" is not a host in this file; allowed: slayer, megadeth, anthrax; did you mean anthrax?',
    ],
    [
      ["slayer"],
      {},
      'changeover:absent[0]: "slayer" is changeover:pairs.sounz.primary; name another host there, or remove the entry, in the same change',
    ],
    [
      ["anthrax"],
      { pairs: { sounz: { ...pair, checksFrom: "anthrax" } } },
      'changeover:absent[0]: "anthrax" is changeover:pairs.sounz.checksFrom; name another host there, or remove the entry, in the same change',
    ],
    [["slayer", "megadeth"], { pairs: {} }, "right"],
  ])("of absent hosts: %j with %j", (absent, changes, expected) => {
    const { hosts } = inventory();
    const anthrax = { address: "192.0.2.13", hostKey: keys.slayer.replace(/f$/, "g") };
    const message = verdict({ ...inventory({ absent, ...changes }), hosts: { ...hosts, anthrax } });
    expect(message).toBe(expected === "right" ? expected : one(expected));
  });

  it.each([
    ["slayer", [], '"slayer" is the host itself; leave it out'],
    ["aud", [], '"aud" is not a host in this file; allowed: slayer, megadeth'],
    [
      "megadeth",
      ["megadeth"],
      '"megadeth" is in changeover:unreachable, so slayer can\'t be reached; add slayer to that list too',
    ],
  ])("of a bastion: %s with %j unreachable", (bastion, unreachable, expected) => {
    const { hosts } = inventory();
    const message = verdict({
      ...inventory({ unreachable }),
      hosts: { ...hosts, slayer: { ...hosts.slayer, bastion } },
    });
    expect(message).toBe(one(`changeover:hosts.slayer.bastion: ${expected}`));
  });

  it("of a bastion: not behind another", () => {
    const { slayer, megadeth } = inventory().hosts;
    const aud = { address: "192.0.2.10", hostKey: keys.slayer.replace("HR4f", "HR4e"), bastion: "megadeth" };
    expect(verdict(inventory({ hosts: { slayer: { ...slayer, bastion: "aud" }, megadeth, aud } }))).toBe(
      one('changeover:hosts.slayer.bastion: "aud" is behind a bastion itself; one hop is allowed'),
    );
  });

  it("of names: what every object has is no host", () => {
    expect(verdict(inventory({ unreachable: ["constructor"] }))).toBe(
      one('changeover:unreachable[0]: "constructor" is not a host in this file; allowed: slayer, megadeth'),
    );
  });

  it("of packages: each is a name that apt-get takes for one", () => {
    expect(verdict({ platform: "local", hosts: { db: { packages: ["dnf", "-o Dir=/"] } } })).toBe(
      one(
        'changeover:hosts.db.packages[1]: "-o Dir=/" is not allowed; allowed: the name of a Debian package',
      ),
    );
    expect(verdict({ platform: "local", hosts: { db: { package: "dnf" } } })).toBe(
      one("changeover:hosts.db.package: no such key; allowed: packages; did you mean packages?"),
    );
  });

  it("of names: operator is taken", () => {
    expect(verdict({ platform: "local", hosts: { operator: {} } })).toBe(
      one(
        'changeover:hosts.operator: "operator" is not allowed as a name; it means something else in a stack file or on a host; give the host another name',
      ),
    );
  });
});

describe("a stack file of aws", () => {
  const prod = committedStack("Pulumi.prod.yaml") as {
    network: Record<string, unknown>;
    hosts: Record<string, Record<string, unknown>>;
    pairs: { sounz: Record<string, unknown> };
  };

  it("is refused with all that does not fit together", () => {
    const raw = {
      ...prod,
      network: {
        ...prod.network,
        cidr: "10.20.0.0/26",
        zones: ["ap-southeast-2a", "us-east-1b"],
        bastion: "bud",
      },
      hosts: { ...prod.hosts, slayer: { zone: "ap-southeast-2c" } },
      pairs: {
        sounz: {
          ...prod.pairs.sounz,
          clients: ["198.51.100.0/24", "0.0.0.0/0"],
          serviceAddress: "192.0.2.1",
        },
        archive: {
          ...prod.pairs.sounz,
          port: 5433,
          peerPort: 5481,
          clients: [],
          checksFrom: "aud",
          rsyncPort: 18994,
          indexes: {},
          directories: { data: "/data/archive" },
          services: {},
        },
      },
    };
    expect(verdict(raw)).toBe(
      [
        "Pulumi.test.yaml has 9 problems; nothing was touched:",
        '  changeover:hosts.megadeth.zone: "ap-southeast-2b" is none of network.zones; allowed: ap-southeast-2a, us-east-1b; did you mean ap-southeast-2a?',
        '  changeover:hosts.slayer.zone: "ap-southeast-2c" is none of network.zones; allowed: ap-southeast-2a, us-east-1b; did you mean ap-southeast-2a?',
        '  changeover:network.bastion: "bud" is not a host in this file; allowed: aud, slayer, megadeth; did you mean aud?',
        '  changeover:network.cidr: "10.20.0.0/26" is too small or too large; allowed: /16 to /24',
        '  changeover:network.zones[1]: "us-east-1b" is not in the region ap-southeast-2',
        '  changeover:pairs.archive.checksFrom: "aud" is inside the VPC and cannot see the Elastic IP as users do; allowed: operator',
        "  changeover:pairs.archive.clients: [] contains none of network.operatorCidrs (203.0.113.0/24), so the check after a switch would fail; add one of them",
        '  changeover:pairs.sounz.clients[1]: "0.0.0.0/0" is the whole internet; name the networks of the clients',
        '  changeover:pairs.sounz.serviceAddress: "192.0.2.1" is not allowed; allowed: nothing (on aws the pair\'s Elastic IP is the service address)',
      ].join("\n"),
    );
  });

  it("is refused when the bastion is of a pair, or is unreachable alone", () => {
    const pairs = { sounz: { ...prod.pairs.sounz, primary: "aud", production: "megadeth" } };
    expect(verdict({ ...prod, pairs, unreachable: ["aud"] })).toBe(
      [
        "Pulumi.test.yaml has 2 problems; nothing was touched:",
        '  changeover:network.bastion: "aud" is in changeover:unreachable, so slayer can\'t be reached; add slayer to that list too',
        '  changeover:pairs.sounz.primary: "aud" is the bastion, which has a public address; name another host',
      ].join("\n"),
    );
  });
});

describe("a checked config", () => {
  it("can't be changed, at any depth", () => {
    const config = parseConfig(inventory(), "Pulumi.test.yaml");
    expect(() => Object.assign(config.pairs.sounz ?? {}, { production: "megadeth" })).toThrow(TypeError);
    expect(() => Object.assign(config, { adopt: "0123456789abcdef" })).toThrow(TypeError);
  });

  it("is right or refused with lines that name a place, whatever the file says", () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom("slayer", "megadeth", ".46", "192.0.2.0/24"));
    const some = <T>(words: readonly string[], of: fc.Arbitrary<T>) =>
      fc.dictionary(fc.constantFrom(...words), of);
    const pairLike = some(
      ["primary", "secondary", "production", "serviceAddress", "clients", "port", "x"],
      value,
    );
    const hostLike = some(["address", "hostKey", "bastion", "zone", "port", "x"], value);
    const raw = fc.record(
      {
        platform: fc.oneof(fc.constantFrom("local", "inventory", "aws"), value),
        hosts: fc.oneof(some(["slayer", "megadeth", "operator", "A b"], hostLike), value),
        pairs: fc.oneof(some(["sounz", "a.b"], pairLike), value),
        network: fc.oneof(some(["cidr", "zones", "bastion", "region", "operatorCidrs"], value), value),
        unreachable: fc.oneof(fc.array(value), value),
        ...Object.fromEntries(
          Object.entries({
            appPools: ["balancers", "servers", "apacheServer", "cache", "releases", "addresses"],
            sharedVolumes: ["servers", "arbiter", "mounts"],
            caches: ["nodes", "clients", "port"],
            stagedUpgrades: ["hosts", "main", "services", "kinds", "smoke", "silence", "soak", "version"],
          }).map(([key, words]) => [key, fc.oneof(some(["one", "a.b"], some(words, value)), value)]),
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(raw, (file) => {
        const [first, ...lines] = verdict(file).split("\n");
        if (first === "right") return;
        expect(first).toBe(
          `Pulumi.test.yaml has ${lines.length === 1 ? "1 problem" : `${lines.length} problems`}; nothing was touched:`,
        );
        for (const line of lines) expect(line).toMatch(/^ {2}changeover:\S.*: ./);
      }),
      // JSON can make a thing that has no text.
      {
        examples: [
          [{ platform: { toString: null } }],
          [{ platform: "aws", pairs: { sounz: { production: { toString: 1 } } } }],
        ],
      },
    );
  });
});

describe("readConfig", () => {
  it("reads every key of the namespace, and leaves other namespaces alone", async () => {
    await pulumi.runtime.setMocks(
      { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
      "changeover",
      "test",
    );
    const { pairs, ...rest } = inventory();
    pulumi.runtime.setAllConfig({
      ...Object.fromEntries(
        Object.entries(rest).map(([key, value]) => [
          `changeover:${key}`,
          typeof value === "string" ? value : JSON.stringify(value),
        ]),
      ),
      "changeover:pears": JSON.stringify(pairs),
      "aws:region": "ap-southeast-2",
    });
    expect(readConfig).toThrow(
      one(
        "changeover:pears: no such key; allowed: platform, ssh, hosts, pairs, appPools, sharedVolumes, caches, searchClusters, stagedUpgrades, unreachable, suspect, absent, adopt; did you mean pairs?",
      ),
    );
  });

  it("takes a date for a date that YAML took for a moment", () => {
    const address = { balancer: "websvr", deadline: "2026-12-24 00:00:00 +0000 UTC" };
    const release = { archive: "releases/crossbow-4685.tar.gz", sha256: "ab".repeat(32) };
    const crossbow = {
      balancers: ["websvr"],
      servers: { prodapp01: "in", prodapp02: "in" },
      release: "4685",
      releases: { "4685": release },
      addresses: { "203.0.113.7": address },
    };
    pulumi.runtime.setAllConfig({
      "changeover:platform": "local",
      "changeover:hosts": JSON.stringify({ websvr: {}, prodapp01: {}, prodapp02: {} }),
      "changeover:appPools": JSON.stringify({ crossbow }),
    });
    expect(readConfig().appPools.crossbow?.addresses["203.0.113.7"]?.deadline).toBe("2026-12-24");
  });

  it("is shown by Pulumi without a stack trace", () => {
    expect(pulumi.RunError.isInstance(new ConfigError("x"))).toBe(true);
  });
});
