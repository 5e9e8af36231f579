import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hostDir, powerCut, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { run } from "../../tools/workshop/lab/lib/run.ts";
import { Writer } from "../../tools/workshop/writer.ts";
import { Estate } from "../support/estate.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;
const parent = "/var/lib/postgresql/15";
const data = `${parent}/sounz`;

describe.skipIf(whyNoLab() !== undefined)("a machine of a pair that comes back", () => {
  let estate: Estate;
  let writer: Writer;

  beforeAll(async () => {
    estate = await Estate.start();
    ok(await estate.up());
    writer = new Writer(await estate.database(), 20);
    await writer.start();
  }, 10 * minute);
  afterAll(async () => {
    await writer.stop();
    await estate.stop();
  }, minute);

  const again = () => estate.up("--replace", "**::sounz-switch-id");
  const streams = (from: string) => estate.psql(from, "select state from pg_stat_replication");
  const aside = (host: string) => estate.on(host, `stat -c '%a %n' ${data}.aside-* 2>/dev/null || true`);
  const stop = (host: string) => estate.on(host, "systemctl stop postgresql@15-sounz");

  /** Whatever happened, nothing that was acknowledged is lost, and the pair is as its state says. */
  afterEach(async () => {
    expect(await streams(String(estate.pair.production))).toBe("streaming");
    expect(await writer.lost()).toEqual([]);
    const verified = await estate.verify();
    expect(verified.code, verified.output).toBe(0);
    for (const host of estate.hosts.keys())
      await estate.on(host, `rm -rf ${data}.aside-* ${data}.other /srv/ts/changeover.aside-*`);
  }, minute);

  it.each([
    ["with a broken control file", `truncate -s 0 ${data}/global/pg_control`],
    [
      "with a control file of rubbish",
      `dd if=/dev/urandom of=${data}/global/pg_control bs=8192 count=1 conv=notrunc`,
    ],
    ["with half a copy", `rm ${data}/global/pg_control && rm -rf ${data}/base/1`],
    ["with the data of another major version", `echo 13 >${data}/PG_VERSION`],
    ["without the folder of its log", `rm -rf ${data}/pg_wal`],
  ])(
    "%s gets a copy, and keeps what it had",
    async (_, damage) => {
      await stop("megadeth");
      await estate.on("megadeth", damage);
      const seen = await estate.verify();
      expect(seen.output).toContain("megadeth: does not follow production");
      ok(await again());
      expect(await streams("slayer")).toBe("streaming");
      expect(await aside("megadeth")).toMatch(/^700 \S+\.aside-\d{8}T\d{6}$/m);
    },
    4 * minute,
  );

  it(
    "without its log streams what it needs from production",
    async () => {
      await stop("megadeth");
      await estate.on("megadeth", `find ${data}/pg_wal -type f -delete`);
      ok(await again());
    },
    4 * minute,
  );

  it(
    "after production has deleted the log that it needs gets a copy",
    async () => {
      await stop("megadeth");
      const slot =
        "select pg_drop_replication_slot('megadeth') from pg_replication_slots where slot_name = 'megadeth' and not active";
      await expect
        .poll(() => estate.psql("slayer", `${slot}; select count(*) from pg_replication_slots`))
        .toBe("0");
      await estate.psql("slayer", "alter system set wal_keep_size = 0");
      await estate.psql("slayer", "select pg_reload_conf()");
      for (let round = 0; round < 3; round++) {
        await estate.psql(
          "slayer",
          "create table filler as select repeat(md5(i::text), 30) from generate_series(1, 30000) as i",
        );
        await estate.psql("slayer", "drop table filler");
        await estate.psql("slayer", "select pg_switch_wal()");
        await estate.psql("slayer", "checkpoint");
      }
      ok(await again());
      expect(await aside("megadeth")).toMatch(/^700 /m);
      await estate.psql("slayer", "alter system reset wal_keep_size");
      await estate.psql("slayer", "select pg_reload_conf()");
    },
    4 * minute,
  );

  it(
    "with an empty disk gets a copy",
    async () => {
      await stop("megadeth");
      await estate.on("megadeth", `rm -rf ${parent}`);
      ok(await again());
      expect(await aside("megadeth")).toBe("");
    },
    4 * minute,
  );

  it(
    "with too small a disk says how much it needs, and touches nothing",
    async () => {
      await stop("megadeth");
      await estate.on("megadeth", `mv ${parent} /var/lib/kept && mkdir ${parent}`);
      await estate.on(
        "megadeth",
        `mount -t tmpfs -o size=700m tmpfs ${parent} && fallocate -l 620M ${parent}/full`,
      );
      estate.set({ minFreeMiB: 1 });
      const { code, output } = await again();
      expect(code).not.toBe(0);
      expect(output).toMatch(/KiB free \(needed: \d+ KiB of slayer, 10 % and 100 MiB\); make room/);
      await estate.on("megadeth", `umount ${parent} && rmdir ${parent} && mv /var/lib/kept ${parent}`);
      estate.set({ minFreeMiB: undefined });
      ok(await estate.up());
    },
    4 * minute,
  );

  it(
    "with the database of another pair is refused in words, and follows when they are heeded",
    async () => {
      await stop("megadeth");
      const make = `runuser -u postgres -- /usr/lib/postgresql/15/bin/initdb -D ${data} >/dev/null`;
      await estate.on("megadeth", `mv ${data} ${parent}/own && ${make}`, 60);
      const { code, output } = await again();
      expect(code).not.toBe(0);
      const cure = /Keep it: (mv -T \S+ \S+); then/.exec(output)?.[1];
      expect(cure, output).toBeDefined();
      await estate.on("megadeth", cure ?? "false");
      ok(await again());
      expect(await estate.on("megadeth", `cat ${data}.other/PG_VERSION; rm -rf ${parent}/own`)).toContain(
        "15",
      );
    },
    4 * minute,
  );

  it(
    "with data of another user is refused in words",
    async () => {
      await stop("megadeth");
      await estate.on("megadeth", `chown -R root: ${data}`);
      const { code, output } = await again();
      expect(code).not.toBe(0);
      const cure = /belongs to root, not to postgres\. If it is the pair's: (chown -R \S+ \S+);/.exec(
        output,
      )?.[1];
      expect(cure, output).toBeDefined();
      await estate.on("megadeth", cure ?? "false");
      ok(await again());
    },
    4 * minute,
  );

  it(
    "with a mount point for a data folder is refused in words",
    async () => {
      await stop("megadeth");
      await estate.on(
        "megadeth",
        `mv ${data} ${parent}/disk && mkdir ${data} && mount --bind ${parent}/disk ${data}`,
      );
      await estate.on("megadeth", `truncate -s 0 ${data}/global/pg_control`);
      const { code, output } = await again();
      expect(code).not.toBe(0);
      expect(output).toContain(
        `${data} on megadeth is a mount point, so no copy can take its place; mount that disk at ${parent}`,
      );
      await estate.on("megadeth", `umount ${data} && rmdir ${data} && mv ${parent}/disk ${data}`);
      ok(await again());
    },
    4 * minute,
  );

  it(
    "with a tablespace gets a copy of that too, and keeps the old one",
    async () => {
      for (const host of estate.hosts.keys())
        await estate.on(host, "install -d -o postgres -g postgres -m 700 /srv/ts");
      await estate.psql("slayer", "create tablespace fast location '/srv/ts'");
      await estate.psql(
        "slayer",
        "create table in_fast tablespace fast as select generate_series(1, 1000) as g",
        "sounz",
      );
      await estate.psql("slayer", "select pg_switch_wal()");
      await expect
        .poll(() => estate.psql("megadeth", "select count(*) from in_fast", "sounz").catch(() => ""))
        .toBe("1000");
      await stop("megadeth");
      await estate.on("megadeth", `truncate -s 0 ${data}/global/pg_control`);
      ok(await again());
      expect(await estate.psql("megadeth", "select count(*) from in_fast", "sounz")).toBe("1000");
      expect(await estate.on("megadeth", "ls /srv/ts")).toMatch(
        /^PG_15_\d+\nchangeover\.aside-\d{8}T\d{6}$/m,
      );
      expect(await estate.on("megadeth", `readlink ${data}/pg_tblspc/*`)).toBe("/srv/ts\n");
      await estate.psql("slayer", "drop table in_fast", "sounz");
      await estate.psql("slayer", "drop tablespace fast");
    },
    4 * minute,
  );

  it(
    "from an older image of its disk, after the other one was made production, gets a copy",
    async () => {
      const disk = join(hostDir(estate.lab, "slayer"), "upper");
      await powerCut(estate.lab, "slayer");
      await run(["cp", "-a", disk, `${disk}.image`]);
      await estate.boot("slayer");
      await expect.poll(() => streams("slayer").catch(() => ""), { timeout: minute }).toBe("streaming");
      await estate.psql(
        "slayer",
        "create table bulk as select repeat(md5(i::text), 30) from generate_series(1, 30000) as i",
      );
      estate.flip("megadeth");
      ok(await estate.up());
      await powerCut(estate.lab, "slayer");
      await rm(disk, { recursive: true });
      await rename(`${disk}.image`, disk);
      await estate.boot("slayer");
      await expect
        .poll(() => estate.on("slayer", "cat /etc/sounz/sounz.status").catch(() => ""), { timeout: minute })
        .toBe("down\n");
      const seen = await estate.verify();
      expect(seen.code).toBe(77);
      expect(seen.output).toContain("slayer: does not follow production (the peer was made production later");
      expect(seen.output).toContain("npx pulumi up --replace '**::sounz-switch-id'");
      ok(await again());
      expect(await streams("megadeth")).toBe("streaming");
      expect(await aside("slayer")).toMatch(/^700 /m);
    },
    8 * minute,
  );

  it(
    "and can be made production",
    async () => {
      estate.flip("slayer");
      ok(await estate.up());
    },
    4 * minute,
  );
});
