import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as lab from "../../tools/workshop/lab/lab.ts";
import type { Ran } from "../../tools/workshop/lab/lab.ts";
import { run, tryRun } from "../../tools/workshop/lab/lib/run.ts";
import { kept, refused } from "../support/odd-databases.ts";

const whyNot = lab.whyNoLab();
const repository = join(import.meta.dirname, "../..");
const scripts = "/opt/changeover/test/scripts";
const debian = ["mariadb-server", "mariadb-client", "python3", "tzdata"];
const backups = "/var/backups/shop/shop";

/** A package in two versions. Its reconfigure changes what it finds in every schema. */
const shop = `set -e
mkdir -p /srv/far /srv/packages /opt/shop /etc/changeover && chown mysql /srv/far
for version in 1.0-1 2.0-1; do
  mkdir -p /srv/tree/DEBIAN
  printf 'Package: shop\\nVersion: %s\\nArchitecture: all\\nMaintainer: A <a@example.org>\\nDescription: a shop\\n' $version >/srv/tree/DEBIAN/control
  dpkg-deb -b /srv/tree /srv/packages/shop_$version.deb >/dev/null
done
dpkg -i /srv/packages/shop_1.0-1.deb >/dev/null
cat >/root/migrate <<'END'
create database newer; create table newer.child (i int primary key, foreign key (i) references billing.plans (id)); insert into newer.child values (1);
drop table hist.prices; alter table zero.t add column x int; drop user reader@'192.0.2.%'; drop procedure rights.p; update loose.t set a = 9; drop database nothing; delete from blobs.t;
END
printf '[client]\\nuser=root\\nsocket=/run/mysqld/mysqld.sock\\n' >/root/shop.cnf && chmod 0600 /root/shop.cnf
mariadb-tzinfo-to-sql /usr/share/zoneinfo 2>/dev/null | mariadb mysql`;

/** What another dump says, without the schema of the system, and the rights of each account. */
const seen = `exec 2>&1; mariadb-dump --all-databases --dump-history --routines --events --triggers --hex-blob --skip-dump-date |
  sed '/^-- Current Database: .mysql./,/^-- Current Database: .[^m]/d' | sha256sum
mariadb -BNe "select concat('show grants for ', quote(user), if(is_role = 'Y', '', concat('@', quote(host))), ';') from mysql.user order by 1" | mariadb -BN
mariadb -BNe "select id, hex(b) = repeat('00', 67108864), length(b) from blobs.t"`;

describe.skipIf(whyNot !== undefined)(
  `databases that are hard to put back${whyNot ? ` (skipped: ${whyNot})` : ""}`,
  { timeout: 400_000 },
  () => {
    const made = { id: lab.newLabId(), stack: "odd-databases", checkout: repository };
    let packed = "";
    let turn = 0;

    const on = (command: string, stdin = ""): Promise<Ran> => {
      const ssh = ["ssh", "-F", join(lab.labDir(made.id), "ssh_config"), "-o", "BatchMode=yes"];
      return tryRun([...ssh, "shop-db", command], { stdin, deadline: 390 });
    };
    const answer = async (command: string, stdin = ""): Promise<string> => {
      const { code, stdout, stderr } = await on(command, stdin);
      expect(code, `${command}: ${stderr}`).toBe(0);
      return stdout.trim();
    };
    const sql = (text: string): Promise<string> =>
      answer("mariadb -BN --comments --default-character-set=utf8mb4 --max-allowed-packet=1G", text);
    const begin = async (): Promise<void> => {
      turn++;
      await answer(`bash ${scripts}/claim.sh shop upgrade turn-${String(turn)} this-stack ${String(turn)}`);
    };
    const step = (script: string, words = ""): Promise<Ran> =>
      on(
        `bash ${scripts}/step.sh shop upgrade turn-${String(turn)} 380 upgrade/${script} shop shop ${words}`,
      );
    const ends = async (running: Promise<Ran>, code: number, said: string | RegExp): Promise<string> => {
      const ran = await running;
      expect(ran.code, ran.stderr).toBe(code);
      const text = code === 0 ? ran.stdout : ran.stderr;
      expect(text).toMatch(said);
      return text;
    };
    /** Backup and trial, up to the first that refuses. */
    const proven = async (): Promise<Ran> => {
      const made = await step("backup-database");
      return made.code === 0 ? step("try-restore") : made;
    };
    const install = (version: string): Promise<string> => answer(`dpkg -i /srv/packages/shop_${version}.deb`);

    /** Upgrade to 2.0-1, which changes the database. @return the backup from before. */
    const upgraded = async (): Promise<string> => {
      await begin();
      await ends(step("backup-database"), 0, "of 1.0-1 is made");
      const said = await ends(step("try-restore"), 0, "no difference");
      await install("2.0-1");
      await ends(step("reconfigure-host", "2.0-1"), 0, "reconfigured to 2.0-1");
      await begin();
      await install("1.0-1");
      return / backup=(\w+)/.exec(said)?.[1] ?? "";
    };

    beforeAll(async () => {
      await lab.createLab(made, debian);
      packed = await mkdtemp(join(tmpdir(), "changeover-odd-"));
      await run(["tar", "-C", repository, "-czf", join(packed, "files.tgz"), "scripts"]);
      await lab.hostUp(made.id, "shop-db", debian);
      await run([
        "scp",
        "-q",
        "-F",
        join(lab.labDir(made.id), "ssh_config"),
        join(packed, "files.tgz"),
        "shop-db:",
      ]);
      await answer(
        `set -e; mkdir -p ${scripts}/..; tar --no-same-owner -C ${scripts}/.. -xzf files.tgz
printf '[mariadbd]\\nevent_scheduler=ON\\ninnodb_flush_log_at_trx_commit=0\\n' >/etc/mysql/mariadb.conf.d/99-shop.cnf; systemctl restart mariadb; ${shop}`,
      );
      await begin();
      const words = [
        ...[
          "package=shop",
          "role=database",
          "main=yes",
          "kind=deb",
          "folder=/opt/shop",
          "stop=true",
          "status=true",
        ],
        ...[
          "disk_percent=99",
          "supervisor=true",
          "reconfigure=mariadb </root/migrate",
          "dump=/usr/bin/mariadb-dump",
        ],
        ...["client=/usr/bin/mariadb", "credentials=/root/shop.cnf", "backup_folder=/var/backups/shop"],
        ...["database_start=systemctl start mariadb", "database_stop=systemctl stop mariadb"],
      ];
      await ends(
        step("configure-host", words.map((word) => `'${word}'`).join(" ")),
        0,
        "is database of shop",
      );
      await answer(
        "mkdir -p /var/lib/changeover/shop && echo version=1.0-1 >/var/lib/changeover/shop/reconfigured",
      );
    }, 900_000);
    afterAll(async () => {
      await lab.removeLab(made.id);
      await rm(packed, { recursive: true, force: true });
    }, 60_000);

    it.each(refused.map((database) => [database.odd, database] as const))(
      "are refused before the stop, with the reason: %s",
      async (_, { sql: text, says, ends: end }) => {
        await begin();
        await sql(text);
        await ends(proven(), 77, says);
        await ends(step("stop-services", "60"), 0, "already stopped");
        await sql(end);
      },
    );

    it(`come back byte for byte, ${String(kept.length)} of them, with their accounts, while an event would fire each second`, async () => {
      for (const { odd, sql: text } of kept) {
        const { code, stderr } = await on(
          "mariadb -BN --comments --default-character-set=utf8mb4 --max-allowed-packet=1G",
          text,
        );
        expect(code, `${odd}: ${stderr}`).toBe(0);
      }
      const before = await answer(seen);
      const backup = await upgraded();
      expect(await answer(seen)).not.toBe(before);
      await ends(
        step("restore-database", `${backup} 1.0-1`),
        0,
        /is restored; the database from before is kept/,
      );
      await answer("systemctl start mariadb");
      expect(await answer(seen)).toBe(before);
      expect(
        await sql(
          "select count(*) from ticking.l where who = 'tick'; select @@event_scheduler, @@read_only, @@max_allowed_packet",
        ),
      ).toBe("0\nON\t0\t16777216");
      expect(await answer(`stat -c %a /var/backups/shop ${backups} ${backups}/*`)).toBe(
        "700\n700\n600\n600\n600\n600",
      );
    });

    it("come back through a kill at any moment, and what was changed for it is put back", async () => {
      const before = await answer(seen);
      const backup = await upgraded();
      for (const moment of ["dropping", "reading"]) {
        const killed = step("restore-database", `${backup} 1.0-1`);
        await answer(
          `for i in $(seq 3000); do grep -q '${moment}' /var/lib/changeover/shop/runs/turn-${String(turn)}-upgrade-restore-database/err 2>/dev/null && pid=$(pgrep -of 'upgrade/restore[.]py .* load') && break; sleep 0.02; done; sleep 0.5; kill -9 $pid`,
        );
        await ends(killed, 1, "").catch(() => undefined);
        await answer(`rm -rf /var/lib/changeover/shop/runs/turn-${String(turn)}-*`);
        expect(await sql("select @@event_scheduler, @@read_only")).toBe("OFF\t1");
      }
      // Nobody starts the newer version on what is half restored.
      await ends(step("reconfigure-host", "1.0-1"), 77, `half restored from backup ${backup}`);
      await sql("create database guest; create table guest.t (i int)");
      await ends(step("restore-database", `${backup} 1.0-1`), 0, "is restored");
      await answer("systemctl start mariadb");
      expect(await answer(seen)).toBe(before);
    });

    it("are not dropped while something would stop the restore half-way", async () => {
      const before = await answer(seen);
      const backup = await upgraded();
      const changed = await answer(seen);
      const restore = (why: string | RegExp) => ends(step("restore-database", `${backup} 1.0-1`), 77, why);
      await answer("touch /var/lib/mysql/hist/notes.txt");
      await restore("/var/lib/mysql/hist/notes.txt is in the folder of a schema, and no server made it");
      await answer("rm /var/lib/mysql/hist/notes.txt");
      await sql("xa start 'left'; insert into loose.t values (1, 'x'); xa end 'left'; xa prepare 'left'");
      await restore("XA transaction left is prepared and holds its tables");
      await sql("xa rollback 'left'");
      await answer("systemd-run --quiet --unit=guest mariadb -e 'select sleep(8)'; sleep 1");
      await restore("root@localhost still uses the database (allowed: no client during a restore)");
      await answer("sleep 8");
      // An account that may not do all that the dump does, and a server that takes some tables no more.
      await sql(
        "create user few@localhost identified by 'x'; grant select, reload, process, drop, create, super on *.* to few@localhost",
      );
      await answer(
        "cp -p /root/shop.cnf /root/shop.root; printf '[client]\\nuser=few\\npassword=x\\nsocket=/run/mysqld/mysqld.sock\\n' >/root/shop.cnf",
      );
      await restore(
        /can't be restored into the database of today: the scratch server rejects the dump: ERROR 1(142|044|227|290)/,
      );
      await answer("mv /root/shop.root /root/shop.cnf");
      await sql("drop user few@localhost; set global innodb_read_only_compressed = on");
      await restore(
        /can't be restored into the database of today: the scratch server rejects the dump: .*read only/,
      );
      await sql("set global innodb_read_only_compressed = off");
      expect(await answer(seen)).toBe(changed);
      await ends(step("restore-database", `${backup} 1.0-1`), 0, "is restored");
      await answer("systemctl start mariadb");
      expect(await answer(seen)).toBe(before);
    });
  },
);
