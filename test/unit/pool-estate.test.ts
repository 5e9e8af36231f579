import { describe, expect, it } from "vitest";
import { asLine, declaredFor, inOrderOfGates, planned } from "../support/declared.ts";
import type { Declared } from "../support/mocks.ts";

const four = { prodapp01: "in", prodapp02: "in", prodapp03: "in", prodapp04: "in" };
const releases = Object.fromEntries(
  ["4684", "4685"].map((name) => [name, { archive: `releases/${name}.tar.gz`, sha256: "ab".repeat(32) }]),
);

const stack = (change: Record<string, unknown> = {}) => {
  const pool = {
    balancers: ["websvr", "websvr2"],
    servers: four,
    release: "4685",
    releases,
    minHealthy: 2,
    groupSize: 2,
    ...change,
  };
  const hosts = Object.fromEntries(
    ["websvr", "websvr2", ...Object.keys(pool.servers)].map((name) => [name, {}]),
  );
  return declaredFor({ platform: "local", hosts, appPools: { crossbow: pool } });
};

/** Lines of the run-book, in their order. */
const book = (declared: readonly Declared[]) =>
  inOrderOfGates(
    declared.flatMap((one) => asLine(one) ?? []),
    declared,
  );

/** Names of the steps and ids that a change of the pool starts. */
const plannedIn = async (before: Record<string, unknown>, after: Record<string, unknown>) =>
  planned(await stack(before), await stack(after));

describe("a pool of four servers behind two balancers", { timeout: 60_000 }, () => {
  it("plans for another release the steps of the release and no others", async () => {
    const steps = await plannedIn({ release: "4684" }, { release: "4685" });
    expect(steps.length).toBeGreaterThan(20);
    expect(steps.filter((name) => !name.startsWith("crossbow-release-"))).toEqual([]);
  });

  it("rolls another port of the application like a release, so no process keeps the old one", async () => {
    const steps = await plannedIn({}, { appPort: 8081 });
    for (const server of Object.keys(four)) expect(steps).toContain(`crossbow-release-roll-stage-${server}`);
    expect(steps).toContain("crossbow-balancers-configure-on-websvr-configure-websvr");
  });

  it("plans for a server more its own steps, and its line at the balancers [001-086]", async () => {
    const steps = await plannedIn({}, { servers: { ...four, prodapp05: "in" } });
    expect(
      steps.filter((name) => !name.includes("prodapp05") && !name.startsWith("crossbow-balancers-")),
    ).toEqual([]);
    for (const step of [
      "crossbow-release-roll-stage-prodapp05",
      "crossbow-prodapp05-member-enter-prodapp05-websvr",
    ])
      expect(steps).toContain(step);
  });

  it("takes the maintenance page away after each turn of the edge, also of one that was taken back half-way [001-141]", async () => {
    const kept = { apache: "kept", apacheServer: "prodapp01" };
    const page = (steps: readonly string[]) =>
      steps.filter((name) => name.startsWith("crossbow-maintenance-"));
    const [to, back] = [
      await plannedIn({ ...kept, edge: "haproxy" }, { ...kept, edge: "apache" }),
      await plannedIn({ ...kept, edge: "apache" }, { ...kept, edge: "haproxy" }),
    ];
    // The id turns both ways, so a flip that stopped anywhere leaves one that the flip back must replace.
    expect(page(to)).toContain("crossbow-maintenance-set-claim-websvr");
    expect(page(to).filter((name) => name.startsWith("crossbow-maintenance-set-maintenance"))).toEqual([]);
    expect(page(back)).toContain("crossbow-maintenance-set-maintenance-websvr");
  });

  it("plans for a server that leaves its own steps, and asks nothing of the server itself [001-032] [001-159]", async () => {
    const steps = await plannedIn({}, { servers: { ...four, prodapp02: "out" } });
    expect(steps.filter((name) => !name.startsWith("crossbow-prodapp02-"))).toEqual([]);
    const declared = await stack({ servers: { ...four, prodapp02: "out" } });
    const hosts = declared
      .filter(({ name }) => name.startsWith("crossbow-prodapp02-member-"))
      .flatMap(({ inputs }) =>
        ((inputs.triggers ?? []) as Record<string, string>[]).flatMap(({ host }) => host ?? []),
      );
    expect(new Set(hosts)).toEqual(new Set(["websvr", "websvr2"]));
  });

  it("goes into maintenance before anything else of the change, and comes out after it [001-133] [001-139]", async () => {
    const after = (declared: readonly Declared[], first: string, then: string) => {
      const byName = new Map(declared.map((one) => [one.name, one]));
      const seen = new Set<string>();
      const reach = (name: string): boolean => {
        if (name === first) return true;
        if (seen.has(name)) return false;
        seen.add(name);
        return (byName.get(name)?.dependsOn ?? []).some(reach);
      };
      return reach(then);
    };
    const on = await stack({ maintenance: true });
    expect(after(on, "crossbow-maintenance-set-done-gate", "crossbow-release-roll-preflight")).toBe(true);
    const off = await stack();
    expect(after(off, "crossbow-release-roll-done-gate", "crossbow-maintenance-set-preflight")).toBe(true);
  });

  it("upgrades server after server, and plans nothing else for another round [001-118]", async () => {
    const declared = await stack({ systemUpgrade: "2026-11" });
    const drains = book(declared).filter((line) =>
      /^crossbow-upgrade-\w+-packages-drain-\w+-websvr /.test(line),
    );
    expect(drains.map((line) => line.split("-")[2])).toEqual(Object.keys(four));
    const steps = await plannedIn({ systemUpgrade: "2026-11" }, { systemUpgrade: "2026-12" });
    expect(steps.length).toBeGreaterThan(20);
    expect(steps.filter((name) => !name.startsWith("crossbow-upgrade-"))).toEqual([]);
  });

  it("asks who uses an address before it is served no more, and plans nothing else [001-103] [001-105] [001-109]", async () => {
    const address = (released: boolean) => ({
      addresses: { "203.0.113.7": { balancer: "websvr", deadline: "2026-12-24", released } },
    });
    const steps = await plannedIn(address(false), address(true));
    expect(steps.filter((name) => !/^crossbow-(address-203-0-113-7|balancers)-/.test(name))).toEqual([]);
    const lines = book(await stack(address(true)));
    const asked = lines.findIndex((line) => line.startsWith("crossbow-address-203-0-113-7-release-clients"));
    const unbound = lines.findIndex((line) => line.startsWith("crossbow-balancers-configure-on-websvr"));
    expect(asked).toBeGreaterThanOrEqual(0);
    expect(unbound).toBeGreaterThan(asked);
  });
});
