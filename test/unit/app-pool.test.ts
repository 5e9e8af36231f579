import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type BalancerFacts,
  decidePool,
  type PoolWanted,
  type ServerFacts,
} from "../../components/app-pool/decide.ts";
import { addressLines, groupsOf, type PoolGoal, serving, zoneLines } from "../../components/app-pool/goal.ts";
import {
  memberTable,
  type PoolLimits,
  undoSeconds,
  upgradeTable,
} from "../../components/app-pool/tables/member.ts";
import { releaseTable } from "../../components/app-pool/tables/release.ts";
import { differencesOfPool, poolDifferences, type PoolExpected } from "../../components/app-pool/verify.ts";
import { phasesOf, rowName } from "../../transition/table.ts";
import { memberships } from "../../components/app-pool/config.ts";

const goal = (names: string, change: Partial<PoolGoal> = {}): PoolGoal => ({
  servers: Object.fromEntries(names.split(" ").map((word) => word.split("=") as [string, "in" | "out"])),
  minHealthy: 1,
  canary: 1,
  groupSize: 1,
  ...change,
});

const limits: PoolLimits = {
  pool: "crossbow",
  drainSeconds: 60,
  policy: "fail",
  minHealthy: 2,
  readySeconds: 60,
  upSeconds: 30,
  bakeSeconds: 15,
  groupBakeSeconds: 1,
  path: "/",
  host: "localhost",
};

describe("who gets a release with whom", () => {
  it("is the canary, then groups as large as the spare capacity allows", () => {
    const four = goal("a=in b=in c=in d=in", { minHealthy: 2, groupSize: 3 });
    expect(groupsOf(four)).toEqual([["a"], ["b", "c"], ["d"]]);
    expect(groupsOf({ ...four, minHealthy: 1 })).toEqual([["a"], ["b", "c", "d"]]);
    expect(groupsOf({ ...four, minHealthy: 3 })).toEqual([["a"], ["b"], ["c"], ["d"]]);
  });

  it("leaves out what is out, and takes what is in maintenance [001-011]", () => {
    expect(groupsOf(goal("a=in b=out c=maintenance d=in"))).toEqual([["a"], ["c"], ["d"]]);
  });

  it("never takes more servers out at once than the rest can carry, and forgets none", () => {
    const goals = fc.record({
      servers: fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.constantFrom(...memberships)),
      minHealthy: fc.integer({ min: 1, max: 5 }),
      canary: fc.integer({ min: 1, max: 4 }),
      groupSize: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(goals, (any) => {
        const groups = groupsOf(any);
        const most = Math.max(1, serving(any).length - any.minHealthy);
        expect(groups.every((group) => group.length >= 1 && group.length <= most)).toBe(true);
        expect(groups.flat()).toEqual(
          Object.keys(any.servers)
            .filter((name) => any.servers[name] !== "out")
            .sort(),
        );
      }),
    );
  });
});

it("advises an A record for a customer's own name, and a CNAME as the slower way [001-018] [001-019]", () => {
  expect(zoneLines("www.learnexa.com", ["203.0.113.5"])).toEqual([
    "www.learnexa.com. A 203.0.113.5",
    "a customer's own name: A 203.0.113.5",
    "a customer's own name, with one lookup more: CNAME www.learnexa.com.",
  ]);
});

it("says for each other address what is left to do, in the order of the release [001-102] [001-106] [001-107] [001-108] [001-109]", () => {
  const address = { balancer: "websvr", deadline: "2026-12-24" };
  expect(
    addressLines({
      "203.0.113.7": { ...address, released: true },
      "203.0.113.6": { ...address, released: false },
    }),
  ).toEqual([
    "203.0.113.6: served by websvr until its users have moved (deadline: 2026-12-24); to see the remaining ones, set released: true",
    "203.0.113.7: released on websvr; next: remove it from the machine, end its NAT, remove it from the ACLs",
  ]);
});

describe("a release as a table", () => {
  const groups = [["a"], ["b", "c"], ["d"]];
  const table = releaseTable(limits, groups);
  /** The rows that run when these phases were bad, as `phase script`. */
  const run = (...bad: string[]) =>
    table
      .filter((row) => row.when?.(bad) ?? true)
      .map((row) => `${row.phase} ${rowName(row)}`)
      .filter((row) => /^(group|back)/.test(row));

  it("drains every server before it gets the release, and lets it in again afterwards [001-032]", () => {
    const order = phasesOf(table).map(([phase]) => phase);
    expect(order.slice(0, 7)).toEqual([
      ...["stage", "group-1-drain", "group-1-release", "group-1-enter"],
      ...["group-2-drain", "group-2-release", "group-2-enter"],
    ]);
    expect(order.at(-1)).toBe("verdict");
    const steps = table.map(rowName);
    for (const server of groups.flat()) {
      expect(steps).toContain(`drain-${server}`);
      expect(steps).toContain(`enter-${server}`);
    }
  });

  it("takes nothing back when all is good", () => {
    expect(run().some((row) => row.startsWith("back"))).toBe(false);
  });

  it("takes back the servers that were begun, newest group first, and begins no more [001-144]", () => {
    expect(run("group-2-release").map((row) => row.split(" ")[0])).toEqual([
      ...["back-2-drain", "back-2-drain", "back-2-release", "back-2-enter", "back-2-enter"],
      ...["back-1-drain", "back-1-release", "back-1-enter"],
    ]);
    expect(run("group-1-enter").every((row) => row.startsWith("back-1-"))).toBe(true);
  });

  it("goes back although the old release does not do well either", () => {
    expect(run("group-1-release", "back-1-enter")).toEqual(run("group-1-release"));
  });

  it("names its steps by server, so that another grouping starts none of them anew", () => {
    const other = releaseTable(limits, [["a", "b", "c", "d"]]);
    const names = (rows: typeof table) =>
      rows.filter(({ on }) => on === "balancers").map((row) => [rowName(row), row.words?.({}, "websvr")]);
    expect(new Set(names(other).map(String))).toEqual(new Set(names(table).map(String)));
  });
});

describe("membership as a table", () => {
  it("lets a server in by readiness at every balancer, and out only when its sessions have ended [001-159]", () => {
    expect(memberTable(limits, "a", "in").map(rowName)).toEqual(["want", "enter-a", "verdict"]);
    expect(memberTable(limits, "a", "out").map(rowName)).toEqual(["want", "drain-a"]);
  });
});

describe("an upgrade of a server's packages as a table", () => {
  const order = (cache?: string, ...bad: string[]) =>
    upgradeTable(limits, "a", cache)
      .filter((row) => row.when?.(bad) ?? true)
      .map(rowName);

  it("drains the server for it and lets it in again, when the cache survives without it [001-118] [001-119] [001-121] [001-122]", () => {
    expect(order("sessions")).toEqual(["fetch", "cache-others", "drain-a", "upgrade", "enter-a"]);
    expect(order()).toEqual(["fetch", "drain-a", "upgrade", "enter-a"]);
  });

  it("lets nobody in who is not ready with its new packages, and ends the round", () => {
    expect(order(undefined, "upgrade")).toEqual(["fetch", "drain-a", "upgrade", "verdict"]);
    expect(order(undefined, "enter").at(-1)).toBe("verdict");
  });

  it("ends before its balancers undo the drain by themselves", () => {
    const table = upgradeTable(limits, "a");
    const row = (phase: string) => table.find((row) => row.phase === phase);
    expect(row("upgrade")?.deadlineSeconds).toBeLessThan(undoSeconds);
    for (const phase of ["drain", "enter"]) expect(row(phase)?.limits?.at(-1)).toBe(String(undoSeconds));
  });
});

const records = {
  now_ms: 0,
  stack: "5ac4",
  claim: null,
  done: {},
  holder: null,
  epoch: 3,
};
const balancer = (
  servers: Record<string, string>,
  change: Partial<BalancerFacts> = {},
): { host: string; facts: BalancerFacts } => ({
  host: "websvr",
  facts: {
    ...records,
    version: "2.6.12",
    running: true,
    agrees: null,
    misplaced: null,
    socket: null,
    serves: { "192.0.2.1:80": ["haproxy"] },
    servers: Object.fromEntries(
      Object.entries(servers).map(([name, status]) => [
        name,
        { status, admin: status === "MAINT" ? "maint" : "ready", wanted: "in" },
      ]),
    ),
    ...change,
  },
});
const server = (change: Partial<ServerFacts> = {}): { host: string; facts: ServerFacts } => ({
  host: "prodapp01",
  facts: {
    ...records,
    current: "4684",
    ready: true,
    answer: "200",
    runs_configured: true,
    firewall: null,
    free_mib: 5000,
    public: [],
    reach: {},
    database: null,
    links_wrong: [],
    ...change,
  },
});
const wanted = (change: Partial<PoolWanted> = {}): PoolWanted => ({
  component: "crossbow-release",
  transition: "roll",
  stack: "5ac4",
  pool: "crossbow",
  balancers: ["websvr"],
  known: ["prodapp01", "prodapp02"],
  taken: 1,
  minHealthy: 1,
  minFreeMiB: 256,
  ...change,
});
const refusals = (looks: Parameters<typeof decidePool>[0], change: Partial<PoolWanted> = {}) =>
  decidePool(looks, wanted(change)).refusals;

describe("preflight of a pool", () => {
  const both = { prodapp01: "UP", prodapp02: "UP" };

  it("goes on when the rest carries the traffic, and claims the next epoch", () => {
    expect(decidePool([balancer(both), server()], wanted())).toEqual({
      refusals: [],
      notes: ["websvr sees prodapp01 UP, prodapp02 UP", "prodapp01 runs 4684"],
      epoch: 4,
    });
  });

  it.each([
    [
      "a server is down already",
      [balancer({ prodapp01: "UP", prodapp02: "DOWN" })],
      "websvr has 1 server(s) UP (prodapp01); without 1 of them 0 would stay UP (allowed: 1 or more); repair the servers that are not UP, or lower minHealthy",
    ],
    [
      "a balancer lacks a server",
      [balancer({ prodapp01: "UP", prodapp03: "UP" })],
      "websvr has no server prodapp02 in HAProxy (known: prodapp01, prodapp03); configure the balancer first: npx pulumi up",
    ],
    [
      "its socket answers something else",
      [balancer(both, { socket: 'answered "nonsense"' })],
      'websvr has an unusable HAProxy socket: answered "nonsense"; see docs/runbook.md, "a balancer does not answer"',
    ],
    [
      "file and socket differ",
      [balancer(both, { agrees: "prodapp02 is ready at the socket and disabled in the file" })],
      "websvr has different states in its records, haproxy.cfg and HAProxy's socket: prodapp02 is ready at the socket and disabled in the file; decide which one is right (docs/runbook.md)",
    ],
    [
      "a server does not reach what it needs",
      [balancer(both), server({ reach: { solr: "10.0.0.7:8983 refused the connection", db: null } })],
      "prodapp01 can't reach services that it needs (solr: 10.0.0.7:8983 refused the connection); repair the connection first",
    ],
    [
      "a server has no room",
      [balancer(both), server({ free_mib: 12 })],
      "prodapp01 has 12 MiB free for releases (needed: 256 MiB); free some disk space",
    ],
    [
      "somebody else operates it",
      [balancer(both, { stack: "other" })],
      "websvr is operated by stack other, not by this one (5ac4); to take it over: npx pulumi config set adopt other",
    ],
    ["a balancer gives no answer", [{ host: "websvr", failure: "timed out" }], "websvr: timed out"],
  ])("refuses when %s [001-021] [001-158]", (_, looks, refusal) => {
    expect(refusals(looks)).toEqual([refusal]);
  });

  it("asks for no spare capacity before anybody serves, nor in the middle of a release", () => {
    expect(refusals([balancer({ prodapp01: "MAINT", prodapp02: "MAINT" })])).toEqual([]);
    const open = { claim: { id: "1", epoch: 3, transition: "roll" } };
    expect(refusals([balancer({ prodapp01: "MAINT", prodapp02: "UP" }, open)])).toEqual([]);
  });

  it("says of a server that it has a public address, and goes on [001-117]", () => {
    const looks = [balancer({ prodapp01: "UP", prodapp02: "UP" }), server({ public: ["203.0.113.9"] })];
    const { refusals: none, notes } = decidePool(looks, wanted());
    expect(none).toEqual([]);
    expect(notes).toContain(
      "prodapp01 has a public address (203.0.113.9), so clients can bypass the balancers; remove the address",
    );
  });

  it("lets a server in only when it is ready and runs what the pool runs", () => {
    const enters = { enters: "prodapp01", release: "4685", taken: 0 };
    const down = server({ current: "4685", ready: false, answer: "503: no styles" });
    expect(refusals([server()], enters)).toEqual([
      "prodapp01 runs 4684, but the pool runs 4685; to give it the pool's release: npx pulumi up",
    ]);
    expect(refusals([down], enters)).toEqual(["prodapp01 is not ready: 503: no styles"]);
    expect(refusals([server({ current: "4685" })], enters)).toEqual([]);
  });

  it("lets a server in only when its own login to the database works and its shared folders are there [001-022] [001-025] [001-035] [001-036] [001-167]", () => {
    const enters = { enters: "prodapp01", release: "4685", taken: 0 };
    const database = 'FATAL: no pg_hba.conf entry for host "10.0.0.7"';
    expect(refusals([server({ current: "4685", database })], enters)).toEqual([
      `prodapp01 can't log in to the application's database: ${database}; admit the server there, or correct the DATABASE_… settings of the pool`,
    ]);
    const links_wrong = ["/deploy/crossbow/shared/system/styles is missing"];
    expect(refusals([server({ current: "4685", links_wrong })], enters)).toEqual([
      `prodapp01 lacks shared folders: ${links_wrong[0] ?? ""}; mount the volume there`,
    ]);
  });
});

describe("the balancers as verify sees them", () => {
  const expected: Omit<PoolExpected, "edge"> = {
    pool: "crossbow",
    balancers: ["websvr"],
    servers: { prodapp01: "in", prodapp02: "out" },
  };
  const serves = (...programs: string[]) => ({ serves: { "192.0.2.1:80": programs } });
  const seen = (change: Partial<BalancerFacts>, edge: "haproxy" | "apache" = "haproxy") =>
    poolDifferences({ ...expected, edge }, [balancer({ prodapp01: "UP", prodapp02: "MAINT" }, change)]);

  it("are as the state says, by whichever edge", () => {
    expect(seen({})).toEqual([]);
    expect(seen({ running: false, ...serves("apache2") }, "apache")).toEqual([]);
  });

  it("differ where another program serves, or none, or both [001-098]", () => {
    const at = "websvr: 192.0.2.1:80 is served by";
    expect(seen({ running: false, ...serves() }, "apache")).toEqual([`${at} no program, wanted is apache2`]);
    expect(seen(serves("apache2", "haproxy"))).toEqual([`${at} apache2 and haproxy, wanted is haproxy`]);
    expect(seen({ running: false, ...serves() })).toEqual([
      "websvr: HAProxy is not running; start it: systemctl start haproxy",
    ]);
  });

  it("differ where a server is in traffic that is not to be, or is not that is to be", () => {
    const servers = balancer({ prodapp01: "DOWN", prodapp02: "UP" }).facts.servers;
    expect(seen({ servers })).toEqual([
      "websvr: prodapp01 is DOWN, wanted is in",
      "websvr: prodapp02 is UP, wanted is out",
    ]);
  });
});

describe("verify of a server", () => {
  const expected: PoolExpected = {
    pool: "crossbow",
    balancers: [],
    servers: { prodapp01: "in" },
    edge: "haproxy",
  };
  const told = (change: Partial<ServerFacts>, wanted: "in" | "maintenance" = "in") =>
    differencesOfPool({ ...expected, servers: { prodapp01: wanted } }, [
      { request: { host: "prodapp01", probe: "app/probe", words: [] }, look: server(change) },
    ]);

  it("tells a process that was started with other settings than the state has", () => {
    expect(told({})).toEqual([]);
    expect(told({ runs_configured: false })).toEqual([
      "prodapp01: runs 4684 with older settings; to roll the release with the present ones: npx pulumi up --replace '**::crossbow-release-roll-id'",
    ]);
    // A server in maintenance may be in any state.
    expect(told({ runs_configured: false }, "maintenance")).toEqual([]);
  });

  it("tells a server that HAProxy reaches elsewhere than its file says, which a reboot would end", () => {
    const misplaced = "prodapp01 is reached at 192.0.2.4:8080 by HAProxy, at 192.0.2.4:8081 in haproxy.cfg";
    const looks = [balancer({ prodapp01: "UP" }, { misplaced })];
    expect(poolDifferences(expected, looks).join()).toContain(
      `${misplaced}; to roll it: npx pulumi up --replace '**::crossbow-release-roll-id'`,
    );
  });

  it("tells a port whose firewall rules are gone, in maintenance too", () => {
    const firewall = "the firewall rules of the application's port are not loaded";
    for (const wanted of ["in", "maintenance"] as const)
      expect(told({ firewall }, wanted)).toEqual([`prodapp01: ${firewall}`]);
  });
});
