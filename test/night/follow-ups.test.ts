import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { installed, offered, versionOf } from "../support/local-packages.ts";
import { PoolSite } from "../support/pool-site.ts";
import { failed, ok } from "../support/runs.ts";

const minute = 60_000;
const servers = ["prodapp01", "prodapp02"];
const tools = "crossbow-tools";

/** What the seed's team did after the ship: both app servers have a node of the cache, so each may go for an upgrade. */
describe.skipIf(whyNoLab() !== undefined)("a pool after its ship", () => {
  let site: PoolSite;
  const cache = { nodes: { prodapp01: "in", prodapp02: "in" }, clients: servers };

  beforeAll(async () => {
    site = await PoolSite.start(
      ["websvr"],
      servers,
      { cache: "sessions", bakeSeconds: 1 },
      { config: { caches: { sessions: cache } } },
    );
    await each(installed(tools, "1"));
    await site.users();
  }, 10 * minute);

  afterAll(async () => {
    await site.stop();
  }, minute);

  const each = (command: string) => Promise.all(servers.map((name) => site.estate.on(name, command)));
  const versions = () => each(versionOf(tools));
  const round = (systemUpgrade: string) => {
    site.set({ systemUpgrade }, { caches: { sessions: cache } });
  };

  it(
    "gets the packages of a round server after server, without a failed request [001-118] [001-119] [001-120] [001-121] [001-122]",
    async () => {
      await each(offered(tools, "2"));
      round("2026-11");
      const seen = await site.seen(async () => {
        const run = await site.estate.up();
        ok(run);
        expect(run.output.match(/upgrading 1 package\(s\)/g)).toHaveLength(2);
      });
      expect(seen.failed, JSON.stringify(seen)).toBe(0);
      expect(await versions()).toEqual(["2", "2"]);
      expect(await site.states()).toEqual({ prodapp01: "UP", prodapp02: "UP" });
      const again = await site.estate.up();
      ok(again);
      expect(again.output).not.toMatch(/created|updated|replaced/);
    },
    4 * minute,
  );

  it(
    "begins no round while another node of the cache is dead [001-118]",
    async () => {
      await each(offered(tools, "3"));
      await site.estate.on("prodapp02", "systemctl stop changeover-memcached-sessions");
      round("2026-12");
      const seen = await site.seen(async () => {
        const run = await site.estate.up();
        failed(run);
        expect(run.output).toMatch(/another node of sessions does not answer prodapp0[12]/);
      });
      expect(seen.failed, JSON.stringify(seen)).toBe(0);
      expect(await versions()).toEqual(["2", "2"]);
      expect(await site.states()).toEqual({ prodapp01: "UP", prodapp02: "UP" });
      await site.estate.on("prodapp02", "systemctl start changeover-memcached-sessions");
      ok(await site.estate.up());
      expect(await versions()).toEqual(["3", "3"]);
    },
    4 * minute,
  );

  it(
    "ends a round at the first server that does not do well, which nobody is sent to",
    async () => {
      await each(offered(tools, "4", "chmod a-x /deploy/crossbow/current/bin/serve"));
      round("2027-01");
      const seen = await site.seen(async () => {
        const run = await site.estate.up();
        failed(run);
        expect(run.output).toMatch(/prodapp01 failed with its new packages[^]*upgrade: \S+ does not start/);
      });
      expect(seen.failed, JSON.stringify(seen)).toBe(0);
      expect(await versions()).toEqual(["4", "3"]);
      expect(await site.states()).toEqual({ prodapp01: "MAINT", prodapp02: "UP" });

      await each(offered(tools, "5"));
      await site.estate.on("prodapp01", "chmod a+x /deploy/crossbow/current/bin/serve");
      ok(await site.estate.up("--replace", "**::crossbow-upgrade-prodapp01-packages-id"));
      expect(await versions()).toEqual(["5", "5"]);
      expect(await site.states()).toEqual({ prodapp01: "UP", prodapp02: "UP" });
    },
    4 * minute,
  );

  it(
    "releases an address that nobody uses any more, or whose day is over, and names who does [001-100] [001-101] [001-103] [001-105] [001-109] [001-123] [001-124]",
    async () => {
      const own = site.estate.host("websvr").address;
      const other = own.replace(/\d+$/, "250");
      await site.estate.on(
        "websvr",
        `ip address add ${other}/32 dev $(ip -o -4 address show to ${own} | cut -d ' ' -f 2)`,
      );
      const address = (released: boolean, deadline: string) => {
        site.set(
          { addresses: { [other]: { balancer: "websvr", deadline, released } } },
          { caches: { sessions: cache } },
        );
      };
      const page = (at: string) =>
        fetch(`http://${at}/`, { headers: { connection: "close" }, signal: AbortSignal.timeout(3000) });
      address(false, "2999-12-24");
      const seen = await site.seen(async () => {
        ok(await site.estate.up());
      });
      expect(seen.failed, JSON.stringify(seen)).toBe(0);
      expect((await page(other)).status).toBe(200);

      address(true, "2999-12-24");
      const refused = await site.estate.up();
      failed(refused);
      expect(refused.output).toMatch(
        /refused: \S+:80 is still used by \S+ \(1 request, last [^)]+\); remind these users: .* after 2999-12-24/,
      );
      expect((await page(other)).status).toBe(200);

      address(true, "2001-12-24");
      const after = await site.seen(async () => {
        ok(await site.estate.up());
      });
      expect(after.failed, JSON.stringify(after)).toBe(0);
      await expect(page(other)).rejects.toThrow();
      const { output } = await site.estate.project.pulumi(["stack", "output", "addresses", "--json"]);
      expect(output).toContain(
        `${other}: released on websvr; next: remove it from the machine, end its NAT, remove it from the ACLs`,
      );
    },
    4 * minute,
  );
});
