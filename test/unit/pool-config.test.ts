import { describe, expect, it } from "vitest";
import { parseConfig } from "../../config.ts";
import { configProblems } from "../support/config-problems.ts";

const release = { archive: "releases/crossbow-4685.tar.gz", sha256: "ab".repeat(32) };

const pool = {
  balancers: ["websvr"],
  servers: { prodapp01: "in", prodapp02: "in" },
  release: "4685",
  releases: { "4685": release },
};

const file = (change: Record<string, unknown> = {}, rest: Record<string, unknown> = {}) => ({
  platform: "local",
  hosts: { websvr: {}, prodapp01: {}, prodapp02: {}, prodapp03: {} },
  appPools: { crossbow: { ...pool, ...change } },
  ...rest,
});

const at = "changeover:appPools.crossbow";

describe("a pool in a stack file", () => {
  it("needs balancers, servers and a release; the rest has defaults", () => {
    expect(configProblems(file())).toEqual([]);
    expect(parseConfig(file(), "x").appPools.crossbow).toMatchObject({
      port: 80,
      appPort: 8080,
      owner: "expprodl",
      minHealthy: 1,
      canary: 1,
      groupSize: 1,
      drain: { seconds: 60, policy: "fail" },
      ready: { path: "/ready", status: 200 },
      maintenance: false,
    });
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      "a release that is not there",
      file({ release: "4686" }),
      `${at}.release: "4686" is not in ${at}.releases; allowed: 4685; did you mean 4685?`,
    ],
    [
      "a server that is no host",
      file({ servers: { prodapp01: "in", prodap02: "in" } }),
      `${at}.servers.prodap02: "prodap02" is not a host in this file; allowed: websvr, prodapp01, prodapp02, prodapp03; did you mean prodapp02?`,
    ],
    [
      "a balancer that is a server too",
      file({ balancers: ["websvr", "prodapp01"] }),
      `${at}.servers.prodapp01: "prodapp01" is changeover:appPools.crossbow.balancers[1] already; a host is one part of one pool`,
    ],
    [
      "no spare capacity",
      file({ minHealthy: 2 }),
      `${at}.minHealthy: 2, but 2 servers are in, so no server may leave traffic for a release; allowed: at most 1, or one more server`,
    ],
    [
      "a dead server that is in",
      file({}, { unreachable: ["prodapp02"] }),
      `${at}.servers.prodapp02: "prodapp02" is in changeover:unreachable; no step can run on it; allowed: out (the other servers serve without it)`,
    ],
    [
      "no balancer that answers",
      file({}, { unreachable: ["websvr"] }),
      `${at}.balancers: every balancer is in changeover:unreachable; allowed: at least one balancer that answers`,
    ],
    [
      "another word for a server",
      file({ servers: { prodapp01: "in", prodapp02: "down" } }),
      `${at}.servers.prodapp02: "down" is not allowed; allowed: in, maintenance, out`,
    ],
    [
      "an archive without its checksum",
      file({ releases: { "4685": { archive: release.archive } } }),
      `${at}.releases[4685].sha256: missing; allowed: 64 hexadecimal digits`,
    ],
    [
      "a database that is no pair",
      file({ database: "sounz" }),
      `${at}.database: "sounz" is not a pair in this file; allowed: none`,
    ],
    [
      "a host of two pools",
      file({}, { appPools: { crossbow: pool, www1: { ...pool, port: 81, servers: { prodapp03: "in" } } } }),
      `changeover:appPools.www1.balancers[0]: "websvr" is ${at}.balancers[0] already; a host is one part of one pool`,
    ],
    [
      "an edge that is gone",
      file({ edge: "apache", apache: "retired" }),
      `${at}.edge: apache, but Apache is retired: it is uninstalled, and no way leads back to it; allowed: haproxy`,
    ],
    [
      "an address of a balancer that it has not",
      file({ addresses: { "203.0.113.7": { balancer: "prodapp01", deadline: "2026-12-24" } } }),
      `${at}.addresses["203.0.113.7"].balancer: "prodapp01" is not a balancer of this pool; allowed: websvr`,
    ],
    [
      "an upgrade of the only node of its cache",
      file(
        { cache: "sessions", systemUpgrade: "2026-11" },
        { caches: { sessions: { nodes: { prodapp01: "in" }, clients: ["prodapp01", "prodapp02"] } } },
      ),
      `${at}.systemUpgrade: "prodapp01" has the only node of changeover:caches.sessions, so an upgrade would end all sessions; add a node on another host first`,
    ],
    [
      "an Apache without a server",
      file({ apache: "kept" }),
      `${at}.apacheServer: missing; allowed: the server that Apache passes requests to`,
    ],
  ])("is refused with %s [001-016] [001-032]", (_, raw, problem) => {
    expect(configProblems(raw)).toEqual([problem]);
  });

  it("is refused on aws, where nothing opens its ports", () => {
    expect(configProblems({ ...file(), platform: "aws" })).toContain(
      `${at}: not made on aws yet: nothing opens its ports there; allowed on local and inventory`,
    );
  });

  it("may leave a dead server out, and release to a single one", () => {
    expect(
      configProblems(
        file({ servers: { prodapp01: "in", prodapp02: "out" } }, { unreachable: ["prodapp02"] }),
      ),
    ).toEqual([]);
  });
});
