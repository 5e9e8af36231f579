import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { leftBehind, type Belongings } from "../../components/pair/left-behind.ts";

const scripts = join(import.meta.dirname, "..", "..", "scripts", "pair");
const server = "/usr/lib/postgresql/15/bin/postgres";
const possible = existsSync(server) && process.getuid?.() === 0;

/** A server and its standby, on two ports of this machine; the scripts look at them in a mount namespace of their own. */
const program = `
set -euo pipefail
bin=/usr/lib/postgresql/15/bin
as() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }
mkdir -p /var/run/postgresql && mount -t tmpfs tmpfs /var/run/postgresql && chown postgres /var/run/postgresql
mkdir -p /var/lib/postgresql/15 && mount -t tmpfs tmpfs /var/lib/postgresql/15 && chown postgres /var/lib/postgresql/15
mount -t tmpfs tmpfs /opt
data=/var/lib/postgresql/15
mkdir /opt/etc && cp -a /etc/. /opt/etc/ && mount --bind /opt/etc /etc
for pair in one two; do mkdir -p /etc/$pair; done
echo PORT=54981 >/etc/one/one.conf && echo PORT=54982 >/etc/two/two.conf
as $bin/initdb -A trust -D $data/one >/dev/null
sql() { as $bin/psql -XAtq -d postgres -p "$1" -c "$2"; }
end() { for pair in two one; do as $bin/pg_ctl -D $data/$pair -m immediate -s stop || true; done; }
trap end EXIT
as $bin/pg_ctl -D $data/one -o "-p 54981 -c fsync=off -c max_connections=50" -l $data/one.log -s -w start
as $bin/pg_basebackup -D $data/two -p 54981 -R -c fast
as $bin/pg_ctl -D $data/two -o "-p 54982 -c fsync=off -c max_connections=50" -l $data/two.log -s -w start
look() { python3 -c "import sys; sys.path.insert(0, '$scripts'); import json, $1; print(json.dumps($1.$2))"; }
replay() { python3 $scripts/replay.py two; }
caught_up() { for _ in {1..100}; do [[ $(sql 54982 "select pg_last_wal_replay_lsn() >= '$(sql 54981 'select pg_current_wal_lsn()')'") == t ]] && return; sleep 0.1; done; }
`;

const run = (script: string): string => {
  const work = mkdtempSync(join(tmpdir(), "changeover-server-"));
  try {
    writeFileSync(join(work, "run.sh"), program + script);
    return execFileSync("unshare", ["-m", "bash", join(work, "run.sh")], {
      env: { ...process.env, work, scripts, LC_ALL: "C" },
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
      cwd: "/",
      timeout: 60_000,
    });
  } finally {
    rmSync(work, { recursive: true });
  }
};

describe.skipIf(!possible)("a look at a real server and its standby", () => {
  it("finds what a switch would lose in every database, whatever limits the server has for clients", () => {
    const said = run(`
sql 54981 "create database shop"
as $bin/psql -XAtq -d shop -p 54981 -c "create unlogged table baskets as select generate_series(1, 9) as g" \\
  -c "create unlogged table nothing (g int)"
cp /usr/lib/postgresql/15/lib/dict_snowball.so $data/acme.so
as $bin/psql -XAtq -d shop -p 54981 -c "create function acme(internal) returns internal language c as '$data/acme', 'dsnowball_init'"
sql 54981 "select pg_create_physical_replication_slot('barman', true)" >/dev/null
for limit in "statement_timeout = '1ms'" "default_transaction_read_only = on" "default_transaction_isolation = serializable"; do
  sql 54981 "alter system set $limit"
done
sql 54981 "select pg_reload_conf()" >/dev/null && sleep 0.3
caught_up
look belongings "belongings('one')"
rm $data/acme.so
look belongings "belongings('two')"
`);
    const [from, to] = said
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Belongings) as [Belongings, Belongings];
    expect(from.unlogged).toEqual(["shop.public.baskets"]);
    expect(from.unseen).toEqual([]);
    expect(from.settings).toMatchObject({ statement_timeout: "1ms", default_transaction_read_only: "on" });
    const told = leftBehind(
      { host: "slayer", has: from },
      { host: "megadeth", has: to },
      { isAccepted: false, command: (why) => why },
    );
    expect(told.refusals.join("\n")).toContain("shop.public.baskets");
    expect(told.refusals.join("\n")).toMatch(/megadeth lacks files that the database uses: \S+acme \(shop\)/);
    expect(told.notes.join("\n")).toContain("slayer keeps log for others in barman");
  }, 60_000);

  it("says why replay stands still: paused by hand, held by a report, or short of a setting", () => {
    const said = run(`
sql 54981 "create table report as select generate_series(1, 1000) as v"
caught_up
echo "goes on: $(replay)"
sql 54982 "select pg_wal_replay_pause()"
echo "paused: $(replay)"
sql 54982 "select pg_wal_replay_resume()"
(as $bin/psql -XAtq -d postgres -p 54982 -c "begin isolation level repeatable read" -c "select count(*) from report" -c "select pg_sleep(20)" >/dev/null 2>&1 || true) &
sleep 1.5
sql 54981 "update report set v = v + 1" && sql 54981 "vacuum report"
sleep 1
echo "held: $(replay)"
sql 54982 "select count(pg_terminate_backend(pid)) from pg_stat_activity where query like '%pg_sleep(20)%' and pid <> pg_backend_pid()" >/dev/null
as $bin/pg_ctl -D $data/one -o "-p 54981 -c fsync=off -c max_connections=90" -l $data/one.log -s -w -m fast restart
for _ in {1..80}; do [[ $(sql 54982 "select pg_get_wal_replay_pause_state()") != paused ]] || break; sleep 0.1; done
echo "short: $(replay)"
`);
    expect(said).toMatch(/^goes on: $/m);
    expect(said).toMatch(
      /^paused: paused\nreplay is paused by hand; resume it here: select pg_wal_replay_resume\(\)$/m,
    );
    expect(said).toMatch(
      /^held: held\nreplay is held by a query \(pid (\d+) of postgres, since [\d:]+ UTC\); wait for it, or end it here: select pg_terminate_backend\(\1\)$/m,
    );
    expect(said).toMatch(
      /^short: short\nreplay stands: max_connections is 50 here \(needed: 90, as on production\); set it/m,
    );
  }, 60_000);
});
