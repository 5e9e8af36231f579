import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { powerCut, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Writer } from "../../tools/workshop/writer.ts";
import { Estate } from "../support/estate.ts";
import { arrange, clear } from "../support/incident.ts";
import { asPreviewed } from "../support/previewed.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;
const scripts = "/usr/local/lib/changeover/sounz/pair";

describe.skipIf(whyNoLab() !== undefined)("a pair whose database is copied now and then", () => {
  let estate: Estate;
  let writer: Writer;

  beforeAll(async () => {
    estate = await Estate.start();
    estate.fences = true;
    estate.set({ replication: "snapshot", copyAt: "*-*-* 03:30", maxCopyAgeMinutes: 60 });
    ok(await estate.up());
    writer = new Writer(await estate.database());
    await writer.start();
  }, 10 * minute);

  afterAll(async () => {
    await writer.stop();
    await estate.stop();
  }, minute);

  const psql = (host: string, statement: string) => estate.psql(host, statement, "sounz");
  const rows = (host: string) => psql(host, "select count(*) from changeover_writes").then(Number);
  const snapshot = (host: string) =>
    estate.on(host, `bash ${scripts}/sync.sh sounz 2>&1 || echo ended with $?`, 120);
  const streams = (host: string) => psql(host, "select count(*) from pg_stat_wal_receiver").then(Number);

  it(
    "stands still between copies, keeps no log on production, and has production's rows after a copy [004-019] [004-025] [004-026]",
    async () => {
      expect(await streams("megadeth")).toBe(0);
      expect(await psql("slayer", "select count(*) from pg_replication_slots")).toBe("0");
      await psql("slayer", "create table changeover_writes as select generate_series(1, 1000) as n");
      expect(await snapshot("megadeth")).toContain("sounz megadeth has copied everything from slayer");
      expect(await rows("megadeth")).toBe(1000);
      await psql("slayer", "insert into changeover_writes select 1 from generate_series(1, 500)");
      expect(await rows("megadeth")).toBe(1000);
      const verified = await estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    3 * minute,
  );

  it(
    "is switched without losing a row, also when the log in between is gone, and stands still again on the other side [004-114] [004-129] [004-130]",
    async () => {
      await psql("slayer", "select pg_switch_wal(); checkpoint");
      for (let round = 0; round < 25; round++)
        await psql(
          "slayer",
          "create table filler as select repeat('x', 1000) from generate_series(1, 12000); drop table filler; select pg_switch_wal()",
        );
      await psql("slayer", "checkpoint");
      estate.flip("megadeth");
      await asPreviewed(estate);
      expect(await rows("megadeth")).toBe(1500);
      expect(await streams("slayer")).toBe(0);
      expect(await psql("megadeth", "select count(*) from pg_replication_slots")).toBe("0");
      expect(await writer.lost()).toEqual([]);
      await psql("megadeth", "insert into changeover_writes values (0)");
      expect(await snapshot("megadeth")).toContain("copies nothing: its status is standby_as_production");
      expect(await snapshot("slayer")).toContain("has copied everything from megadeth");
      expect(await rows("slayer")).toBe(1501);
      estate.flip("slayer");
      ok(await estate.up());
      expect(await writer.lost()).toEqual([]);
    },
    5 * minute,
  );

  it.each(["takeover"] as const)(
    "replaces nothing by its timers while a switch has stopped at %s, and goes back with every row [004-031] [004-154]",
    async (step) => {
      const before = await rows("slayer");
      await psql("slayer", "insert into changeover_writes values (1)");
      await arrange(estate, step, "before");
      estate.flip("megadeth");
      expect((await estate.up()).code).not.toBe(0);
      await clear(estate);
      for (const host of ["slayer", "megadeth"]) expect(await snapshot(host)).toContain("copies nothing:");
      estate.flip("slayer");
      ok(await estate.up());
      expect(await rows("slayer")).toBe(before + 1);
      expect(await writer.lost()).toEqual([]);
      expect(await streams("megadeth")).toBe(0);
    },
    3 * minute,
  );

  it(
    "keeps the old database in service when a copy is interrupted, damaged or older than it; two copies at once do not meet [004-031]",
    async () => {
      const before = await rows("megadeth");
      await psql("slayer", "create table ballast as select repeat('y', 1000) from generate_series(1, 60000)");
      for (const seconds of [0.3, 0.8, 1.5, 2.2]) {
        await estate.on(
          "megadeth",
          `systemctl start --no-block changeover-sync-sounz; sleep ${String(seconds)}; systemctl kill -s KILL changeover-sync-sounz; systemctl reset-failed changeover-sync-sounz; true`,
        );
        // What was killed between stop and start is started by the next run; until then it is old or new, and whole.
        const answer = await rows("megadeth").catch(() => before);
        expect(answer).toBeGreaterThanOrEqual(before);
      }
      const both = await Promise.all([snapshot("megadeth"), snapshot("megadeth")]);
      expect(both.filter((said) => said.includes("another run copies"))).toHaveLength(1);
      expect(both.filter((said) => said.includes("has copied everything from slayer"))).toHaveLength(1);
      await estate.on("megadeth", "test ! -e /var/lib/postgresql/15/sounz.copying");

      // A byte that the disk changed: the manifest says so.
      const damaged = `${scripts}/lib-cluster-copy.sh`;
      await estate.on(
        "megadeth",
        `cp ${damaged} /tmp/kept && printf '%s\\n' 'change_places() { exit 99; }' >>${damaged} && sed -i 's|^  as_postgres touch.*|&; printf z \\| dd of="$draft/PG_VERSION" conv=notrunc status=none|' ${damaged}`,
      );
      expect(await snapshot("megadeth")).toContain("the copy is damaged; megadeth keeps its old database");
      await estate.on("megadeth", `cp /tmp/kept ${damaged}`);
      expect(await rows("megadeth")).toBeGreaterThanOrEqual(before);
    },
    4 * minute,
  );

  it(
    "refuses a switch to a copy that is too old, and an emergency until somebody accepts what is missing [004-030] [004-156]",
    async () => {
      await estate.on(
        "megadeth",
        "sed -i 's/^at=.*/at=1000000000/' /var/lib/changeover/sounz/copies/database",
      );
      estate.flip("megadeth");
      const refused = await estate.up();
      expect(refused.code).not.toBe(0);
      expect(refused.output).toMatch(/megadeth has an old copy \(database: \d+ min old, allowed: 60 min\)/);
      await powerCut(estate.lab, "slayer");
      estate.without("slayer");
      const again = await estate.up();
      expect(again.code).not.toBe(0);
      const line = /acceptDataLoss "(\d+): /.exec(again.output);
      expect(line, again.output).not.toBeNull();
      estate.set({ acceptDataLoss: `${line?.[1] ?? ""}: nothing newer is to be had` });
      ok(await estate.up());
      expect(await rows("megadeth")).toBeGreaterThan(0);
      await estate.boot("slayer");
      estate.without();
      estate.set({ acceptDataLoss: undefined });
      ok(await estate.up());
      estate.flip("slayer");
      ok(await estate.up());
      const verified = await estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    5 * minute,
  );
});
