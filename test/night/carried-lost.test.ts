import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freeze, powerCut, thaw, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { CarriedSite } from "../support/carried.ts";
import { arrange, clear } from "../support/incident.ts";
import { asPreviewed } from "../support/previewed.ts";
import { failed, ok } from "../support/runs.ts";

const minute = 60_000;

describe.skipIf(whyNoLab() !== undefined)(
  "what a pair carries, when a machine is lost or nobody runs Pulumi",
  () => {
    let site: CarriedSite;

    beforeAll(async () => {
      site = await CarriedSite.start();
    }, 10 * minute);

    afterAll(async () => {
      await site.stop();
    }, minute);

    it(
      "goes back to production's own files after an emergency that was begun and not ended",
      async () => {
        await site.estate.on("megadeth", "systemctl start changeover-sync-sounz", 60);
        await site.put("slayer", "newest", "after the last copy");
        await arrange(site.estate, "alone", "before");
        await powerCut(site.estate.lab, "slayer");
        site.estate.without("slayer");
        site.estate.flip("megadeth");
        failed(await site.estate.up());
        await site.estate.boot("slayer");
        await clear(site.estate);
        site.estate.without();
        site.estate.flip("slayer");
        ok(await site.estate.up());
        expect(await site.files("slayer")).toContain("newest=after the last copy");
        expect(await site.files("megadeth")).toBe(await site.files("slayer"));
        expect(await site.writer.lost()).toEqual([]);
      },
      4 * minute,
    );

    it(
      "is switched by hand with its files and services [004-020] [004-023]",
      async () => {
        const hand = (host: string, words: string) =>
          site.estate.on(host, `changeover-sounz ${words} 2>&1`, 60);
        const next = (said: string, host: string) =>
          new RegExp(`now on ${host}: changeover-sounz (.+)`).exec(said)?.[1] ?? "--help";
        await site.put("slayer", "by-hand", "before the switch by hand");
        const fenced = await hand("slayer", next(await hand("megadeth", "prepare"), "slayer"));
        const taken = await hand("megadeth", next(fenced, "megadeth"));
        expect(await site.files("megadeth")).toContain("by-hand=before the switch by hand");
        expect(await site.active("sounz-web")).toEqual(["inactive", "active"]);
        await hand("slayer", next(taken, "slayer"));
        await site.home();
        expect(await site.writer.lost()).toEqual([]);
      },
      3 * minute,
    );

    it(
      "sets aside what only the dead machine has, and stops nothing that the other runs [004-072]",
      async () => {
        await site.estate.on("megadeth", "systemctl start changeover-sync-sounz", 60);
        await site.put("slayer", "only-here", "never copied");
        await powerCut(site.estate.lab, "slayer");
        site.estate.without("slayer");
        site.estate.flip("megadeth");
        await asPreviewed(site.estate);
        expect((await site.active("sounz-web").catch(() => ["?"])).length).toBeGreaterThan(0);
        expect((await site.estate.on("megadeth", "systemctl is-active sounz-web")).trim()).toBe("active");
        await site.put("megadeth", "four", "while alone");
        expect(await site.sync("megadeth")).toContain("copies nothing: its status is production_alone");
        await site.estate.boot("slayer");
        await expect
          .poll(() => site.estate.on("slayer", "cat /etc/sounz/sounz.status"), { timeout: minute })
          .toBe("down\n");
        expect(await site.sync("slayer")).toContain("copies nothing: its status is down");
        site.estate.without();
        ok(await site.estate.up());
        expect(await site.files("slayer")).toBe(await site.files("megadeth"));
        expect(
          await site.estate.on("slayer", "cat /var/lib/changeover/sounz/set-aside/*/data/only-here"),
        ).toBe("never copied");
        site.estate.flip("slayer");
        ok(await site.estate.up());
      },
      5 * minute,
    );

    it(
      "gets what a sick production still gives before it is cut off; with `required` nothing happens without it [004-072]",
      async () => {
        await site.put("slayer", "late", "written on the sick one");
        site.estate.config = { suspect: ["slayer"] };
        site.estate.flip("megadeth");
        const run = await asPreviewed(site.estate);
        expect(run.output).toContain("megadeth copied from slayer: everything");
        expect(await site.files("megadeth")).toContain("late=written on the sick one");
        await site.estate.boot("slayer");
        await site.home();

        await freeze(site.estate.lab, "slayer");
        site.estate.config = { suspect: ["slayer"] };
        site.estate.set({ production: "megadeth", finalSync: "required" });
        const refused = await site.estate.up();
        expect(refused.code).not.toBe(0);
        expect(refused.output).toContain("not copied from slayer: database files; nothing has changed");
        site.estate.set({ finalSync: "attempt" });
        ok(await site.estate.up());
        await thaw(site.estate.lab, "slayer").catch(() => undefined);
        await site.estate.boot("slayer");
        await site.home();
        expect(await site.writer.lost()).toEqual([]);
      },
      8 * minute,
    );
  },
);
