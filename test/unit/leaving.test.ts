import { describe, expect, it } from "vitest";
import { systems } from "../../components/registry.ts";
import { leaving, operatedBy, type Wanted } from "../../config/leaving.ts";
import { pathText } from "../../config/problems.ts";

const sounz = { primary: "slayer", secondary: "megadeth" };
const outputs = (targets: object = {}) => ({
  targets: { slayer: { unreachable: false }, megadeth: { unreachable: false }, ...targets },
  operated: {
    pairs: {
      sounz: {
        expected: {
          component: "sounz",
          statuses: { slayer: "production", megadeth: "standby" },
          address: "none",
        },
      },
    },
  },
});

/** A stack file's keys, as far as they decide who leaves. */
type Keys = Partial<Omit<Wanted, "entries">> & Readonly<Record<string, unknown>>;

const wanted = (keys: Keys): Wanted => ({
  hosts: { slayer: {}, megadeth: {} },
  unreachable: [],
  absent: [],
  ...keys,
  entries: (key) => (({ pairs: { sounz }, ...keys })[key] as Record<string, unknown> | undefined) ?? {},
});
const said = (change: Keys = {}, last: unknown = outputs()) =>
  leaving(operatedBy(last, systems), wanted(change), systems).map(
    ({ path, text }) => `${pathText(path)}: ${text}`,
  );

const byAbsent = (index: number, host: string) =>
  `npx pulumi config set --path 'changeover:absent[${String(index)}]' ${host}; npx pulumi up`;

describe("a host that leaves the file", () => {
  it("is refused while the stack operates it, with its pairs and the lines to type", () => {
    expect(said({ hosts: { slayer: {} }, pairs: { sounz: { ...sounz, secondary: "anthrax" } } })).toEqual([
      `changeover:hosts.megadeth: missing, but this stack still operates it in sounz; retire it first (a new name is another host): put it back, then: ${byAbsent(0, "megadeth")}`,
    ]);
    const alone = outputs({ bastion: { unreachable: false } });
    expect(said({}, alone)).toEqual([
      `changeover:hosts.bastion: missing, but this stack still operates it; retire it first (a new name is another host): put it back, then: ${byAbsent(0, "bastion")}`,
    ]);
  });

  it("is refused while it is in absent only in the file, not at the last update", () => {
    expect(said({ hosts: {}, pairs: {}, absent: ["slayer", "megadeth"] })).toHaveLength(2);
  });

  it("may go when it was out of service at the last update, and has done so when it is gone", () => {
    const retired = {
      ...outputs(),
      targets: { slayer: { absent: "out of service" }, megadeth: { absent: "skipped: unreachable" } },
    };
    expect(said({ hosts: {}, pairs: {} }, retired)).toEqual([]);
    expect(said({ hosts: {}, pairs: {} }, { targets: {}, operated: {} })).toEqual([]);
  });

  it("is nobody's concern in a stack that was never updated, or destroyed", () => {
    for (const none of [null, {}]) expect(said({ hosts: {}, pairs: {} }, none)).toEqual([]);
  });
});

describe("a pair that leaves the file", () => {
  it("is refused for each of its machines that stays in service, each with a line of its own", () => {
    const line = (host: string, index: number) =>
      `changeover:hosts.${host}: no longer in sounz, but this stack still operates it there; put it back, or retire it: ${byAbsent(index, host)}`;
    expect(said({ pairs: {} })).toEqual([line("slayer", 0), line("megadeth", 1)]);
    expect(said({ pairs: {}, absent: ["slayer"] })).toEqual([line("megadeth", 1)]);
    expect(said({ pairs: { renamed: sounz }, absent: [] })).toHaveLength(2);
  });

  it("may go with both machines in absent, also when nothing can be removed from one", () => {
    const absent = ["slayer", "megadeth"];
    expect(said({ pairs: {}, absent })).toEqual([]);
    expect(said({ pairs: {}, absent, unreachable: ["megadeth"] })).toEqual([]);
  });
});

describe("a machine that another one replaces", () => {
  const replaced = {
    hosts: { slayer: {}, megadeth: {}, anthrax: {} },
    pairs: { sounz: { ...sounz, secondary: "anthrax" } },
  };

  it("goes by way of absent", () => {
    expect(said(replaced)[0]).toContain("changeover:hosts.megadeth: no longer in sounz");
    expect(said({ ...replaced, absent: ["megadeth"] })).toEqual([]);
  });

  it("is refused when nobody can see that it serves nothing", () => {
    expect(said({ ...replaced, absent: ["megadeth"], unreachable: ["megadeth"] })).toEqual([
      "changeover:hosts.megadeth: unreachable, so nobody can check that it serves nothing, and sounz would go on without it; put it back, or give its name to a new machine",
    ]);
  });

  it("is not one that only changed roles", () => {
    expect(said({ pairs: { sounz: { primary: "megadeth", secondary: "slayer" } } })).toEqual([]);
  });
});

describe("a host of a staged upgrade", () => {
  const ran = [{ version: "7.3.0-1", since: "2026-11-20T10:00:00Z" }];
  const expected = { ran, main: "scalr-db", hosts: ["scalr-app1", "scalr-db"], diskPercent: 80 };
  const last = {
    targets: { "scalr-db": {}, "scalr-app1": {} },
    operated: { stagedUpgrades: { scalr: { expected } } },
  };
  const own = { hosts: { "scalr-db": {}, "scalr-app1": {} }, pairs: {} };
  const told = (hosts: Record<string, string> | undefined, change: Keys = {}) =>
    said({ ...own, stagedUpgrades: hosts ? { scalr: { hosts, main: "scalr-db" } } : {}, ...change }, last);
  const line = (host: string, index: number) =>
    `changeover:hosts.${host}: no longer in scalr, but this stack still operates it there; put it back, or retire it: ${byAbsent(index, host)}`;

  it("leaves it by way of absent, whether it goes alone, with the upgrade, or to one of another name", () => {
    expect(told({ "scalr-db": "database", "scalr-app1": "app" })).toEqual([]);
    expect(told({ "scalr-db": "database" })).toEqual([line("scalr-app1", 0)]);
    expect(told(undefined)).toEqual([line("scalr-db", 0), line("scalr-app1", 1)]);
    expect(told(undefined, { absent: ["scalr-db"] })).toEqual([line("scalr-app1", 1)]);
    expect(told(undefined, { absent: ["scalr-db", "scalr-app1"] })).toEqual([]);
  });

  it("may leave it dead: the others go on without it", () => {
    const dead = { absent: ["scalr-app1"], unreachable: ["scalr-app1"] };
    expect(told({ "scalr-db": "database" }, dead)).toEqual([]);
  });

  it("stays the main one: no upgrade moves a database", () => {
    const hosts = { "scalr-db": "database", "scalr-app1": "app" };
    const moved = (main: string, outputs: unknown = last) =>
      said({ ...own, stagedUpgrades: { scalr: { hosts, main } } }, outputs);
    expect(moved("scalr-db")).toEqual([]);
    expect(moved("scalr-app1")).toEqual([
      'changeover:stagedUpgrades.scalr.main: "scalr-app1", but the main database is on scalr-db, and an upgrade can\'t move it; allowed: scalr-db, also as a new machine with that name and the data',
    ]);
    // Before the first update, and in the outputs of an older release, nobody is named.
    for (const none of [null, { upgrades: {} }, { upgrades: { scalr: { ran } } }])
      expect(moved("scalr-app1", none)).toEqual([]);
  });
});

describe("a pool, a volume and a cache", () => {
  const hosts = { websvr: {}, prodapp01: {}, prodapp02: {} };
  const last = {
    targets: hosts,
    operated: {
      appPools: {
        crossbow: {
          expected: {
            pool: "crossbow",
            balancers: ["websvr"],
            edge: "haproxy",
            servers: { prodapp01: "in", prodapp02: "out" },
          },
        },
      },
      sharedVolumes: {
        styles: {
          expected: {
            bricks: [{ host: "prodapp01", role: "data", path: "/data00/styles" }],
            mounts: { prodapp01: "/srv/styles", prodapp02: "none" },
          },
        },
      },
    },
  };
  const pool = { balancers: ["websvr"], servers: { prodapp01: "in", prodapp02: "out" } };
  const volume = { mounts: { prodapp01: "/srv/styles", prodapp02: "none" } };
  const told = (change: Keys = {}) =>
    said(
      { hosts, pairs: {}, appPools: { crossbow: pool }, sharedVolumes: { styles: volume }, ...change },
      last,
    );
  const server =
    "changeover:appPools.crossbow.servers.prodapp01: missing, but it was in at the last update; allowed: drop a server that is out. Set it to out, update, then delete the line";
  const mount =
    "changeover:sharedVolumes.styles.mounts.prodapp01: missing, but prodapp01 still mounts the volume at /srv/styles; set it to none and update, then delete the line";
  const gone = (host: string, entry: string, index = 0) =>
    `changeover:hosts.${host}: no longer in ${entry}, but this stack still operates it there; put it back, or retire it: ${byAbsent(index, host)}`;

  it("lose no server that serves, and one that is out at once", () => {
    expect(told()).toEqual([]);
    expect(told({ appPools: { crossbow: { ...pool, servers: { prodapp01: "in" } } } })).toEqual([]);
    expect(told({ appPools: { crossbow: { ...pool, servers: { prodapp02: "out" } } } })).toEqual([server]);
  });

  it("lose no balancer, and no whole pool", () => {
    expect(told({ appPools: { crossbow: { ...pool, balancers: ["prodapp02"] } } })).toEqual([
      gone("websvr", "crossbow"),
    ]);
    expect(told({ appPools: {} }).sort()).toEqual([server, gone("websvr", "crossbow")].sort());
    expect(told({ appPools: {}, absent: ["websvr"] })).toEqual([server]);
  });

  it("lose no mount and no whole volume, and a brick by the volume itself", () => {
    expect(told({ sharedVolumes: { styles: { mounts: { prodapp02: "none" } } } })).toEqual([mount]);
    expect(told({ sharedVolumes: {} }).sort()).toEqual([mount, gone("prodapp01", "styles")].sort());
  });
});

describe("what the release before this one said", () => {
  it("is read until the first update with this one", () => {
    const earlier = {
      targets: { slayer: {}, megadeth: {}, websvr: {} },
      expected: [{ component: "sounz", statuses: { slayer: "production", megadeth: "standby" } }],
      expectedPools: [{ pool: "crossbow", balancers: ["websvr"], servers: {}, edge: "haproxy" }],
      caches: { sessions: { port: 11211, nodes: { websvr: "in" }, clients: [] } },
    };
    const lines = said({ hosts: { slayer: {}, megadeth: {}, websvr: {} }, pairs: {} }, earlier);
    expect(lines.map((line) => line.split(":").slice(0, 2).join(":")).sort()).toEqual([
      "changeover:caches.sessions.nodes.websvr",
      "changeover:hosts.megadeth",
      "changeover:hosts.slayer",
      "changeover:hosts.websvr",
    ]);
  });
});
