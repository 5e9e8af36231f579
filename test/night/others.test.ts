import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { powerCut, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Writer } from "../../tools/workshop/writer.ts";
import { Estate } from "../support/estate.ts";
import { failed, ok } from "../support/runs.ts";

const minute = 60_000;

describe.skipIf(whyNoLab() !== undefined)("a pair with limits, reports and slots of other people", () => {
  let estate: Estate;
  let writer: Writer;

  beforeAll(async () => {
    estate = await Estate.start();
    estate.fences = true;
    estate.write();
    ok(await estate.up());
    writer = new Writer(await estate.database(), 20);
    await writer.start();
  }, 10 * minute);
  afterAll(async () => {
    await writer.stop();
    await estate.stop();
  }, minute);

  const psql = (host: string, statement: string, database?: string) => estate.psql(host, statement, database);
  const hosts = ["slayer", "megadeth"] as const;
  const onBoth = async (...statements: readonly string[]) => {
    for (const host of hosts) for (const statement of statements) await psql(host, statement);
  };
  const streams = (from: string) =>
    expect
      .poll(() => psql(from, "select state from pg_stat_replication").catch(() => ""), { timeout: minute })
      .toBe("streaming");
  const writesAgain = () => {
    const mark = writer.mark();
    return expect.poll(() => writer.since(mark).acknowledged, { timeout: minute }).toBeGreaterThan(10);
  };
  const flip = (production: string) => {
    estate.flip(production);
    return estate.up();
  };
  /** Nothing was touched: users notice nothing of a refusal. */
  const refuses = async (production: string, words: RegExp | string) => {
    const mark = writer.mark();
    const run = await flip(production);
    failed(run);
    expect(run.output).toMatch(words);
    expect(writer.since(mark).outageMs).toBeLessThan(1000);
  };

  afterEach(async () => {
    estate.without();
    ok(await flip("slayer"));
    await writesAgain();
    expect(await writer.lost()).toEqual([]);
    const verified = await estate.verify();
    expect(verified.code, verified.output).toBe(0);
  }, 2 * minute);

  it(
    "is switched there and back, whatever limits its server has for clients",
    async () => {
      await onBoth(
        "alter system set statement_timeout = '400ms'",
        "alter system set lock_timeout = '400ms'",
        "alter system set idle_session_timeout = '200ms'",
        "alter system set idle_in_transaction_session_timeout = '200ms'",
        "alter system set default_transaction_isolation = 'serializable'",
        "select pg_reload_conf()",
      );
      const mark = writer.mark();
      for (const production of ["megadeth", "slayer"]) ok(await flip(production));
      await writesAgain();
      expect(writer.since(mark).outageMs).toBeLessThan(5000);
      // The test's own sessions have these limits, too.
      for (const host of hosts)
        await estate.on(
          host,
          ": >/var/lib/postgresql/15/sounz/postgresql.auto.conf && systemctl reload postgresql@15-sounz",
        );
    },
    4 * minute,
  );

  it(
    "is not switched while replay is paused or held by a report, and says by whom",
    async () => {
      await psql("megadeth", "select pg_wal_replay_pause()");
      expect((await estate.verify()).output).toContain("megadeth: replay is paused by hand");
      await refuses("megadeth", "megadeth cannot become production: replay is paused by hand");
      await psql("megadeth", "select pg_wal_replay_resume()");
      await psql("slayer", "create table report as select generate_series(1, 1000) as v");
      const report = [
        "begin isolation level repeatable read",
        "select count(*) from report",
        "select pg_sleep(100)",
      ];
      await estate.on(
        "megadeth",
        `systemd-run --collect --unit=a-report --uid=postgres psql -XAtq -d postgres ${report.map((one) => `-c '${one}'`).join(" ")}`,
      );
      await expect
        .poll(() =>
          psql(
            "megadeth",
            "select count(*) from pg_stat_activity where query like '%pg_sleep(100)%' and backend_xmin is not null and pid <> pg_backend_pid()",
          ),
        )
        .toBe("1");
      await psql("slayer", "update report set v = v + 1");
      await psql("slayer", "vacuum report");
      await expect
        .poll(
          () => psql("megadeth", "select wait_event from pg_stat_activity where backend_type = 'startup'"),
          { timeout: 20_000 },
        )
        .toMatch(/^RecoveryConflict/);
      await refuses("megadeth", /replay is held by a query \(pid \d+ of postgres, since [\d:]+ UTC\)/);
      // As the message says; a server does not see that the client of a sleeping session is gone.
      await psql(
        "megadeth",
        "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(100)%' and pid <> pg_backend_pid()",
      );
      await psql("slayer", "drop table report");
    },
    4 * minute,
  );

  it(
    "keeps the slots of others when its standby is given up",
    async () => {
      await psql("slayer", "select pg_create_physical_replication_slot('barman', true)");
      await powerCut(estate.lab, "megadeth");
      estate.without("megadeth");
      ok(await estate.up());
      expect(await psql("slayer", "select slot_name from pg_replication_slots")).toBe("barman");
      await estate.boot("megadeth");
      estate.without();
      ok(await estate.up());
      await streams("slayer").catch(() => undefined);
      await psql("slayer", "select pg_drop_replication_slot('barman')");
    },
    4 * minute,
  );

  it(
    "names before a switch what it would lose or leave behind, in every database",
    async () => {
      await psql(
        "slayer",
        "create unlogged table u_sessions as select generate_series(1, 5000) as g",
        "sounz",
      );
      await refuses("megadeth", /slayer has unlogged tables[^]*sounz\.[a-z.]*u_sessions[^]*acceptDataLoss/);
      await psql("slayer", "drop table u_sessions", "sounz");
      await estate.on(
        "slayer",
        "cp /usr/lib/postgresql/15/lib/pgcrypto.so /usr/lib/postgresql/15/lib/acme_digest.so",
      );
      await psql(
        "slayer",
        "create function acme(text) returns int language c as 'acme_digest', 'pg_digest'",
        "sounz",
      ).catch(() => undefined);
      await refuses("megadeth", /megadeth lacks files that the database uses: acme_digest \(sounz\)/);
      await psql("slayer", "drop function acme(text)", "sounz");
      await psql("slayer", "alter system set work_mem = '77MB'");
      await psql("slayer", "select pg_reload_conf()");
      const told = await flip("megadeth");
      ok(told);
      expect(told.output).toMatch(/work_mem 77MB on slayer, 4MB on megadeth/);
      ok(await flip("slayer"));
      await psql("slayer", "alter system reset work_mem");
      await psql("slayer", "select pg_reload_conf()");
    },
    6 * minute,
  );

  it(
    "serves in an emergency from a standby whose replay a person has paused",
    async () => {
      await psql("megadeth", "select pg_wal_replay_pause()");
      await psql("slayer", "create table after_the_pause as select 1 as one");
      await expect
        .poll(() => psql("megadeth", "select pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"))
        .toBe("t");
      await powerCut(estate.lab, "slayer");
      estate.without("slayer");
      const run = await flip("megadeth");
      ok(run);
      expect(run.output).toContain("replay is paused by hand; resuming it");
      expect(await psql("megadeth", "select one from after_the_pause")).toBe("1");
      await writesAgain();
      await estate.boot("slayer");
      estate.without();
      ok(await flip("megadeth"));
      await psql("megadeth", "drop table after_the_pause");
    },
    6 * minute,
  );

  it(
    "says which setting keeps a standby from being promoted, and serves as soon as it is mended",
    async () => {
      await psql("slayer", "alter system set max_connections = 200");
      await estate.on("slayer", "systemctl restart postgresql@15-sounz", 60);
      await psql("slayer", "create table later as select 1 as one");
      await expect
        .poll(() => psql("megadeth", "select pg_get_wal_replay_pause_state()"), { timeout: minute })
        .toBe("paused");
      const words = "max_connections is 100 here (needed: 200, as on production)";
      await refuses("megadeth", /max_connections is 100 here \(needed: 200, as on production\)/);
      estate.flip("slayer");
      ok(await estate.up());
      await powerCut(estate.lab, "slayer");
      estate.without("slayer");
      const run = await flip("megadeth");
      failed(run);
      expect(run.output).toContain(words);
      await estate.on(
        "megadeth",
        "echo 'max_connections = 200' >/etc/postgresql/15/sounz/conf.d/own.conf && systemctl restart postgresql@15-sounz",
        60,
      );
      ok(await estate.up());
      await writesAgain();
      expect(await psql("megadeth", "select one from later")).toBe("1");
      await estate.boot("slayer");
      await estate.on("slayer", "echo 'max_connections = 200' >/etc/postgresql/15/sounz/conf.d/own.conf");
      estate.without();
      ok(await flip("megadeth"));
      await psql("megadeth", "drop table later");
    },
    6 * minute,
  );
});
