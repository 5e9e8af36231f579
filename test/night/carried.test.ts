import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { CarriedSite, hosts } from "../support/carried.ts";
import { arrange, clear } from "../support/incident.ts";
import { asPreviewed } from "../support/previewed.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;

describe.skipIf(whyNoLab() !== undefined)("what a pair carries besides its database", () => {
  let site: CarriedSite;

  beforeAll(async () => {
    site = await CarriedSite.start();
  }, 10 * minute);

  afterAll(async () => {
    await site.stop();
  }, minute);

  it(
    "runs what each role runs, and nothing else, on both sides of a switch [004-020] [004-021] [004-022] [004-023] [004-024] [004-087] [004-091] [004-101]",
    async () => {
      expect(await site.active("sounz-web")).toEqual(["active", "inactive"]);
      expect(await site.active("sounz-always")).toEqual(["active", "active"]);
      await site.put("slayer", "one", "written on slayer");
      await site.estate.on("slayer", "chown games: /data/sounz/one; chmod 0640 /data/sounz/one");
      site.estate.flip("megadeth");
      await asPreviewed(site.estate);
      expect(await site.active("sounz-web")).toEqual(["inactive", "active"]);
      expect(await site.active("sounz-always")).toEqual(["active", "active"]);
      expect(await site.files("megadeth")).toBe("./one=written on slayer\n");
      expect(await site.estate.on("megadeth", "stat -c '%U %a' /data/sounz/one")).toBe("games 640\n");
      await site.put("megadeth", "two", "written on megadeth");
      site.estate.flip("slayer");
      ok(await site.estate.up());
      expect(await site.files("slayer")).toBe("./one=written on slayer\n./two=written on megadeth\n");
      expect(await site.writer.lost()).toEqual([]);
      const verified = await site.estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    3 * minute,
  );

  it(
    "copies to the standby by a timer, drops what was staged there, and does nothing anywhere else [004-018] [004-033] [004-098] [004-154] [004-155]",
    async () => {
      await site.put("slayer", "three", "from production");
      await site.put("megadeth", "staged", "tried on the standby");
      await site.estate.on("megadeth", "systemctl start changeover-sync-sounz", 60);
      expect(await site.files("megadeth")).toBe(await site.files("slayer"));
      expect(await site.files("megadeth")).not.toContain("staged");
      expect(await site.estate.on("megadeth", "cat /var/log/sounz/sounz-general.log")).toContain(
        "data is the same as on slayer",
      );
      expect(await site.estate.on("megadeth", "systemctl list-timers --all")).toContain(
        "changeover-sync-sounz.timer",
      );
      expect(await site.sync("slayer")).toContain("copies nothing: its status is production");
      await site.estate.on("megadeth", "mv /var/lib/changeover/sounz/done/switch /tmp/done-switch");
      await site.put("megadeth", "staged", "while a switch is open");
      expect(await site.sync("megadeth")).toContain("copies nothing: a transition is open");
      expect(await site.files("megadeth")).toContain("staged");
      await site.estate.on("megadeth", "mv /tmp/done-switch /var/lib/changeover/sounz/done/switch");
      const twice = await Promise.all([site.sync("megadeth"), site.sync("megadeth")]);
      expect(twice.join("")).toContain("sounz megadeth has copied everything from slayer");
      expect(
        await site.estate.on(
          "megadeth",
          "bash /usr/local/lib/changeover/sounz/pair/check-copy-age.sh sounz 5",
        ),
      ).toMatch(/^OK: copies on megadeth, data 0 min, home 0 min \(limit 5 min\)/);
    },
    3 * minute,
  );

  it.each(["takeover", "services"] as const)(
    "copies nothing by its timers while a switch has stopped at %s, goes back, and has lost nothing [004-031] [004-154]",
    async (step) => {
      await site.put("slayer", "newest", `before ${step}`);
      await arrange(site.estate, step, "before");
      site.estate.flip("megadeth");
      const stopped = await site.estate.up();
      expect(stopped.code).not.toBe(0);
      await clear(site.estate);
      for (const host of hosts) expect(await site.sync(host)).toContain("copies nothing:");
      // On the way back the files are those of the machine that was production last, whichever way they went.
      site.estate.flip("slayer");
      ok(await site.estate.up());
      expect(await site.estate.on("slayer", "cat /data/sounz/newest")).toBe(`before ${step}`);
      expect(await site.active("sounz-web")).toEqual(["active", "inactive"]);
      expect(await site.writer.lost()).toEqual([]);
    },
    3 * minute,
  );

  it(
    "gives the service back at once when the last copy does not come right: nothing has changed",
    async () => {
      // Somebody who goes on writing files though everything of the pair was stopped.
      await site.estate.on(
        "slayer",
        "systemd-run -q --unit=rogue sh -c 'while :; do date +%N >/data/sounz/rogue; done'",
      );
      site.estate.flip("megadeth");
      const mark = site.writer.mark();
      const stopped = await site.estate.up();
      expect(stopped.code).not.toBe(0);
      expect(stopped.output).toMatch(
        /slayer serves again \(slayer accepts writes again.*nothing has changed/,
      );
      await expect.poll(() => site.writer.since(mark).acknowledged, { timeout: minute }).toBeGreaterThan(50);
      expect(await site.active("sounz-web")).toEqual(["active", "inactive"]);
      const again = await site.estate.up();
      expect(again.output).toContain(
        "was put back; start again: npx pulumi up --replace '**::sounz-switch-id'",
      );
      await site.estate.on("slayer", "systemctl stop rogue; rm /data/sounz/rogue");
      ok(await site.estate.up("--replace", "**::sounz-switch-id"));
      expect(await site.active("sounz-web")).toEqual(["inactive", "active"]);
      await site.home();
      expect(await site.writer.lost()).toEqual([]);
    },
    4 * minute,
  );

  it(
    "deletes nothing for an empty source, sets aside what was there before the first copy, and stops what the file names no more",
    async () => {
      await site.put("slayer", "kept", "in one place only");
      await site.estate.on(
        "megadeth",
        "echo before >/data/sounz/before; rm /var/lib/changeover/sounz/copies/data",
      );
      expect(await site.sync("megadeth")).toContain("sounz megadeth has copied everything from slayer");
      expect(await site.estate.on("megadeth", "cat /var/lib/changeover/sounz/set-aside/*/data/before")).toBe(
        "before\n",
      );
      const kept = await site.files("megadeth");
      await site.estate.on("slayer", "mkdir /data/hidden && mv /data/sounz/* /data/hidden");
      expect(await site.sync("megadeth")).toMatch(/refused: data on slayer is empty[^]*ended with 75/);
      expect(await site.files("megadeth")).toBe(kept);
      await site.estate.on("slayer", "mv /data/hidden/* /data/sounz && rmdir /data/hidden");

      const { services } = site.estate.pair;
      await site.estate.on("slayer", "systemctl --quiet enable sounz-always 2>/dev/null || true");
      site.estate.set({ services: { web: (services as Record<string, unknown>).web } });
      ok(await site.estate.up());
      expect(await site.active("sounz-always")).toEqual(["inactive", "inactive"]);
      expect(await site.active("sounz-web")).toEqual(["active", "inactive"]);
      site.estate.set({ services });
      ok(await site.estate.up());
      expect(await site.active("sounz-always")).toEqual(["active", "active"]);
    },
    4 * minute,
  );

  it(
    "ends with everything that is wrong on production, and is mended by an up [004-075] [004-083] [004-084] [004-085] [004-086] [004-132]",
    async () => {
      await site.put("slayer", "other", "what is left");
      await site.estate.on("slayer", "mv /data/sounz/front.html /root/");
      site.estate.flip("megadeth");
      const failed = await site.estate.up();
      expect(failed.code).not.toBe(0);
      expect(failed.output).toMatch(/FAILED files: .*front.html: status 404 \(allowed: 200\)/);
      expect(failed.output).toMatch(
        /timed out after 30 s: files: http:.*front.html has status 404 \(allowed: 200\)/,
      );
      expect(failed.output).toContain("ok     web: unit sounz-web is active");
      expect(failed.output).toContain("ok     database sounz by its socket");
      expect(failed.output).toContain("ok     database sounz by tcp");
      await site.estate.on("megadeth", "echo SOUNZ >/data/sounz/front.html");
      ok(await site.estate.up());
      site.estate.flip("slayer");
      ok(await site.estate.up());
    },
    5 * minute,
  );
});
