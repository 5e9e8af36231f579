import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { arrange, clear } from "../support/incident.ts";
import { PoolSite } from "../support/pool-site.ts";
import { failed, ok } from "../support/runs.ts";

const minute = 60_000;

/** The seed's evening: from one Apache to HAProxy over two servers, back, and for good. */
describe.skipIf(whyNoLab() !== undefined)("the edge of a site", () => {
  let site: PoolSite;

  beforeAll(async () => {
    site = await PoolSite.start(["websvr"], ["prodapp01", "prodapp02"], {
      edge: "apache",
      apache: "kept",
      apacheServer: "prodapp01",
      bakeSeconds: 1,
    });
    await site.watchListeners();
  }, 10 * minute);

  afterAll(async () => {
    await site.stop();
  }, minute);

  const answer = async () => {
    const got = await fetch(`${site.targets[0] ?? ""}/`);
    return {
      status: got.status,
      server: got.headers.get("x-server"),
      by: got.headers.get("server")?.split("/")[0] ?? "HAProxy",
    };
  };
  const up = async () => {
    const started = performance.now();
    ok(await site.estate.up());
    return (performance.now() - started) / 1000;
  };

  it("is Apache at first, in front of one server [001-015] [001-020]", async () => {
    expect(await answer()).toMatchObject({ status: 200, server: "prodapp01", by: "Apache" });
  });

  it(
    "goes to HAProxy over both servers within a minute, with the page in between, and never both at once [001-133] [001-134] [001-135] [001-136] [001-137] [001-138] [001-139] [001-140] [001-142] [001-098] [001-160]",
    async () => {
      site.set({ edge: "haproxy" });
      const load = await site.users(50);
      const mark = load.mark();
      expect(await up()).toBeLessThan(60);
      const report = load.since(mark);
      expect(Object.keys(report.byServer).sort()).toEqual(["prodapp01", "prodapp02"]);
      // Users who asked meanwhile saw a maintenance page (Apache's has the status of what it met), or for a moment nobody.
      const seldom = Object.keys(report.reasons).filter(
        (why) => !/^(answered 50[234]|refused|closed)$/.test(why),
      );
      expect(seldom).toEqual([]);
      expect((await answer()).status).toBe(200);
      expect(await site.listeners()).not.toContain("apache2+haproxy");
      await load.stop();
    },
    5 * minute,
  );

  it(
    "goes back to Apache within a minute, also from a cut-over that failed half-way [001-090] [001-091] [001-092] [001-093] [001-094] [001-095] [001-097] [001-125] [001-126] [001-144]",
    async () => {
      site.set({ edge: "apache" });
      expect(await up()).toBeLessThan(60);
      expect(await answer()).toMatchObject({ status: 200, server: "prodapp01", by: "Apache" });

      await arrange(site.estate, "haproxy", "before");
      site.set({ edge: "haproxy" });
      failed(await site.estate.up());
      await clear(site.estate);
      site.set({ edge: "apache" });
      expect(await up()).toBeLessThan(60);
      expect(await answer()).toMatchObject({ status: 200, by: "Apache" });
      expect(await site.listeners()).not.toContain("apache2+haproxy");
    },
    5 * minute,
  );

  it(
    "gets a release while Apache serves, behind its page",
    async () => {
      site.set({ release: "4685" });
      await up();
      expect(await site.running()).toEqual({ prodapp01: "4685", prodapp02: "4685" });
      expect(await answer()).toMatchObject({ status: 200, by: "Apache" });
    },
    3 * minute,
  );

  it(
    "gets a release behind HAProxy without a failed request, and takes a bad one back [001-033] [001-144]",
    async () => {
      site.set({ edge: "haproxy" });
      await up();
      await site.users(50);
      site.set({ release: "4684" });
      const seen = await site.seen(up);
      expect(seen.failed, JSON.stringify(seen)).toBe(0);
      site.set({ release: "4686-never-ready" });
      const worse = await site.seen(async () => {
        const run = await site.estate.up();
        failed(run);
        expect(run.output).toContain("release 4686-never-ready of crossbow is bad");
      });
      expect(worse.failed, JSON.stringify(worse)).toBe(0);
      expect(await site.running()).toEqual({ prodapp01: "4684", prodapp02: "4684" });
      site.set({ release: "4684" });
      await up();
    },
    5 * minute,
  );

  it(
    "retires Apache when HAProxy serves, and says from then on that there is no way back [001-110] [001-111] [001-112]",
    async () => {
      site.set({ edge: "haproxy" });
      await up();
      site.set({ apache: "retired" });
      await up();
      expect(
        await site.estate.on("websvr", "dpkg-query -Wf '${db:Status-Status}' apache2-bin || true"),
      ).not.toBe("installed");
      expect((await answer()).status).toBe(200);
      site.set({ edge: "apache" });
      const run = await site.estate.up();
      failed(run);
      expect(run.output).toContain("Apache is retired: it is uninstalled, and no way leads back to it");
      site.set({ edge: "haproxy" });
    },
    5 * minute,
  );
});
