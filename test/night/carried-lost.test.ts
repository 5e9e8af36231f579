import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freeze, powerCut, thaw, whyNoLab } from "../../tools/lab/lab.ts";
import type { Writer } from "../../tools/writer.ts";
import { CarriedSite } from "../support/carried.ts";
import type { Estate } from "../support/estate.ts";
import { asPreviewed } from "../support/previewed.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;

describe.skipIf(whyNoLab() !== undefined)(
  "what a pair carries, when a machine is lost or nobody runs Pulumi",
  () => {
    let site: CarriedSite;
    let estate: Estate;
    let writer: Writer;
    let active: CarriedSite["active"];
    let sync: CarriedSite["sync"];
    let put: CarriedSite["put"];
    let files: CarriedSite["files"];
    let home: CarriedSite["home"];

    beforeAll(async () => {
      site = await CarriedSite.start();
      ({ estate, writer, active, sync, put, files, home } = site);
    }, 10 * minute);

    afterAll(async () => {
      await site.stop();
    }, minute);

    it(
      "goes back to production's own files after an emergency that was begun and not ended",
      async () => {
        const psql = (statement: string) =>
          estate.on("megadeth", `cd / && runuser -u postgres -- psql -XAtqc '${statement}'`);
        await estate.on("megadeth", "systemctl start changeover-sync-sounz", 60);
        await put("slayer", "newest", "after the last copy");
        await psql("select pg_wal_replay_pause()");
        // What the writer writes now is received and not replayed, so nothing is promoted.
        await expect
          .poll(() => psql("select pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"))
          .toBe("t\n");
        await powerCut(estate.lab, "slayer");
        estate.without("slayer");
        estate.flip("megadeth");
        const stopped = await estate.up();
        expect(stopped.output).toContain("megadeth has replayed all that it received: not so after 30 s");
        await psql("select pg_wal_replay_resume()");
        await estate.boot("slayer");
        estate.without();
        estate.flip("slayer");
        ok(await estate.up());
        expect(await files("slayer")).toContain("newest=after the last copy");
        expect(await files("megadeth")).toBe(await files("slayer"));
        expect(await writer.lost()).toEqual([]);
      },
      4 * minute,
    );

    it(
      "is switched by hand with its files and services [004-020] [004-023]",
      async () => {
        const hand = (host: string, words: string) => estate.on(host, `changeover-sounz ${words} 2>&1`, 60);
        const next = (said: string, host: string) =>
          new RegExp(`now on ${host}: changeover-sounz (.+)`).exec(said)?.[1] ?? "--help";
        await put("slayer", "by-hand", "before the switch by hand");
        const fenced = await hand("slayer", next(await hand("megadeth", "prepare"), "slayer"));
        const taken = await hand("megadeth", next(fenced, "megadeth"));
        expect(await files("megadeth")).toContain("by-hand=before the switch by hand");
        expect(await active("sounz-web")).toEqual(["inactive", "active"]);
        await hand("slayer", next(taken, "slayer"));
        await home();
        expect(await writer.lost()).toEqual([]);
      },
      3 * minute,
    );

    it(
      "sets aside what only the dead machine has, and stops nothing that the other runs [004-072]",
      async () => {
        await estate.on("megadeth", "systemctl start changeover-sync-sounz", 60);
        await put("slayer", "only-here", "never copied");
        await powerCut(estate.lab, "slayer");
        estate.without("slayer");
        estate.flip("megadeth");
        await asPreviewed(estate);
        expect((await active("sounz-web").catch(() => ["?"])).length).toBeGreaterThan(0);
        expect((await estate.on("megadeth", "systemctl is-active sounz-web")).trim()).toBe("active");
        await put("megadeth", "four", "while alone");
        expect(await sync("megadeth")).toContain("copies nothing: its status is production_alone");
        await estate.boot("slayer");
        await expect
          .poll(() => estate.on("slayer", "cat /etc/sounz/sounz.status"), { timeout: minute })
          .toBe("down\n");
        expect(await sync("slayer")).toContain("copies nothing: its status is down");
        estate.without();
        ok(await estate.up());
        expect(await files("slayer")).toBe(await files("megadeth"));
        expect(await estate.on("slayer", "cat /var/lib/changeover/sounz/set-aside/*/data/only-here")).toBe(
          "never copied",
        );
        estate.flip("slayer");
        ok(await estate.up());
      },
      5 * minute,
    );

    it(
      "gets what a sick production still gives before it is cut off; with `required` nothing happens without it [004-072]",
      async () => {
        await put("slayer", "late", "written on the sick one");
        estate.config = { suspect: ["slayer"] };
        estate.flip("megadeth");
        const run = await asPreviewed(estate);
        expect(run.output).toContain("megadeth got from slayer: everything");
        expect(await files("megadeth")).toContain("late=written on the sick one");
        await estate.boot("slayer");
        await home();

        await freeze(estate.lab, "slayer");
        estate.config = { suspect: ["slayer"] };
        estate.set({ production: "megadeth", finalSync: "required" });
        const refused = await estate.up();
        expect(refused.code).not.toBe(0);
        expect(refused.output).toContain("not got from slayer: database files; nothing has changed");
        estate.set({ finalSync: "attempt" });
        ok(await estate.up());
        await thaw(estate.lab, "slayer").catch(() => undefined);
        await estate.boot("slayer");
        await home();
        expect(await writer.lost()).toEqual([]);
      },
      8 * minute,
    );
  },
);
