import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { powerCut, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { PoolSite } from "../support/pool-site.ts";
import { failed, ok } from "../support/runs.ts";

const minute = 60_000;
const all = (release: string, site: PoolSite) =>
  Object.fromEntries(site.servers.map((name) => [name, release]));

/** Four servers behind two balancers, and users who never stop asking. */
describe.skipIf(whyNoLab() !== undefined)("a pool of application servers", () => {
  let site: PoolSite;

  beforeAll(async () => {
    site = await PoolSite.start();
    await site.users();
  }, 10 * minute);

  afterAll(async () => {
    await site.stop();
  }, minute);

  it("serves its release from every server, seen through every balancer [001-053] [001-054]", async () => {
    const seen = await site.seen(() => Promise.resolve());
    expect(seen.failed, JSON.stringify(seen)).toBe(0);
    expect(Object.keys(seen.byServer).sort()).toEqual([...site.servers]);
    expect(Object.keys(seen.byRevision)).toEqual(["4684"]);
    for (const balancer of site.balancers) expect(await site.states(balancer)).toEqual(all("UP", site));
  });

  it(
    "gets a release and goes back to the one before without a failed request [001-033] [001-143]",
    async () => {
      for (const release of ["4685", "4684"]) {
        site.set({ release });
        const seen = await site.seen(async () => {
          ok(await site.estate.up());
        });
        expect(seen.failed, JSON.stringify(seen)).toBe(0);
        expect(await site.running()).toEqual(all(release, site));
      }
    },
    5 * minute,
  );

  it("runs nothing when nothing changed", async () => {
    const run = await site.estate.up();
    ok(run);
    expect(run.output).not.toMatch(/created|updated|replaced/);
  });

  it.each([
    ["never gets ready", "4686-never-ready", "it waits for a migration that nobody runs", { bakeSeconds: 2 }],
    ["answers with errors after 10 s", "4687-breaks", "with 5xx", { bakeSeconds: 14 }],
    ["dies under load", "4688-dies", "bad", { bakeSeconds: 6 }],
  ])(
    "takes a release back that %s, and says why [001-144] [001-145]",
    async (_, release, why, change) => {
      site.set({ release, ...change });
      const seen = await site.seen(async () => {
        const run = await site.estate.up();
        failed(run);
        expect(run.output).toContain(`release ${release} of crossbow is bad`);
        expect(run.output).toContain(why);
      });
      expect(await site.running()).toEqual(all("4684", site));
      for (const balancer of site.balancers) expect(await site.states(balancer)).toEqual(all("UP", site));
      // Only who asked the canary itself may have seen what it did.
      expect(Object.keys(seen.byServer).sort()).toEqual([...site.servers]);
      if (release === "4686-never-ready") expect(seen.failed, JSON.stringify(seen)).toBe(0);
      site.set({ release: "4684", bakeSeconds: 2 });
      ok(await site.estate.up());
    },
    5 * minute,
  );

  it(
    "lets a server leave and come back without a failed request [001-011] [001-032] [001-119] [001-122] [001-159]",
    async () => {
      for (const wanted of ["out", "in", "maintenance", "in"]) {
        site.set({ servers: { ...(site.pool.servers as object), prodapp02: wanted } });
        const seen = await site.seen(async () => {
          ok(await site.estate.up());
        });
        expect(seen.failed, JSON.stringify(seen)).toBe(0);
        for (const balancer of site.balancers)
          expect((await site.states(balancer)).prodapp02).toBe(wanted === "in" ? "UP" : "MAINT");
      }
    },
    5 * minute,
  );

  it(
    "leaves a dead server out, and takes it in again with the release that it missed [001-145]",
    async () => {
      await powerCut(site.estate.lab, "prodapp04");
      const out = { servers: { ...(site.pool.servers as object), prodapp04: "out" }, release: "4685" };
      site.set(out, { unreachable: ["prodapp04"] });
      ok(await site.estate.up());
      await site.estate.boot("prodapp04");
      site.set({ servers: { ...(site.pool.servers as object), prodapp04: "in" } });
      const seen = await site.seen(async () => {
        ok(await site.estate.up());
      });
      expect(seen.failed, JSON.stringify(seen)).toBe(0);
      expect(await site.running()).toEqual(all("4685", site));
      expect((await site.states()).prodapp04).toBe("UP");
    },
    5 * minute,
  );

  it(
    "answers with the maintenance page, and serves again [001-133] [001-137] [001-139]",
    async () => {
      const answer = async () => {
        const got = await fetch(`${site.targets[0] ?? ""}/`);
        return { status: got.status, marker: got.headers.get("x-maintenance") };
      };
      site.set({ maintenance: true });
      ok(await site.estate.up());
      expect(await answer()).toEqual({ status: 503, marker: "crossbow" });
      site.set({ maintenance: false });
      ok(await site.estate.up());
      expect(await answer()).toEqual({ status: 200, marker: null });
    },
    3 * minute,
  );

  it(
    "refuses before traffic is touched when a balancer is not to be trusted",
    async () => {
      const socket = "/run/haproxy/admin.sock";
      await site.estate.on("websvr2", `mv ${socket} ${socket}.away`);
      site.set({ release: "4684" });
      const seen = await site.seen(async () => {
        const run = await site.estate.up();
        failed(run);
        expect(run.output).toContain("nothing was touched");
        expect(run.output).toContain("websvr2 has an unusable HAProxy socket");
      });
      expect(seen.failed, JSON.stringify(seen)).toBe(0);
      expect(await site.running()).toEqual(all("4685", site));
      await site.estate.on("websvr2", `mv ${socket}.away ${socket}`);
      ok(await site.estate.up());
      expect(await site.running()).toEqual(all("4684", site));
    },
    3 * minute,
  );

  it("does not let a host go that balances or runs the application", async () => {
    const look = (host: string) =>
      site.estate.on(
        host,
        `bash /opt/changeover/*/scripts/retire.sh ${host} none look 2>&1 || echo ended with $?`,
      );
    expect(await look("websvr")).toMatch(/websvr balances pool crossbow; [^]*ended with 77/);
    expect(await look("prodapp01")).toMatch(
      /prodapp01 runs the application of pool crossbow; [^]*ended with 77/,
    );
  });
});
