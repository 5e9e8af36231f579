import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const possible = existsSync("/usr/lib/postgresql/15/bin/postgres") && process.getuid?.() === 0;

/** Run a script beside the two servers. */
const run = (script: string): string =>
  execFileSync(
    "unshare",
    ["-m", "-n", "bash", "-c", `ip link set lo up\n. ${root}/test/fixtures/pair-on-loopback.sh\n${script}`],
    {
      env: { ...process.env, scripts: join(root, "scripts"), LC_ALL: "C" },
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
      cwd: "/",
      timeout: 120_000,
    },
  );

const follows = (aside: number) =>
  RegExp(`^rc=0 after \\d+ s; streams: b\\|streaming; aside: ${String(aside)}$`, "gm");

describe.skipIf(!possible)("follow.sh on a machine that comes back, beside a real production", () => {
  it("copies anew what can't follow, and sets aside what was there", () => {
    const said = run(`
stop() { systemctl stop postgresql@15-tp; }
follow
stop; rm -rf $D/pg_wal; follow
stop; truncate -s 0 $D/global/pg_control; follow
stop; echo 13 >$D/PG_VERSION; follow
stop; rm -rf $D; follow
`);
    expect(said).toContain('required WAL directory "pg_wal" does not exist; copying the data of a');
    expect(said).toContain("the control file of /var/lib/postgresql/15/tp is broken; copying the data of a");
    expect(said).toContain("/var/lib/postgresql/15/tp is of PostgreSQL 13, not 15; copying the data of a");
    expect(said).toContain("/var/lib/postgresql/15/tp has no database; copying the data of a");
    expect(said.match(follows(1))).toHaveLength(3);
    expect(said.match(follows(0))).toHaveLength(2);
  }, 120_000);

  it("touches nothing where a person must decide, and says what to do", () => {
    const said = run(`
stop() { systemctl stop postgresql@15-tp; }
follow >/dev/null
stop; chown -R root: $D; follow; chown -R postgres: $D
stop; sed -i 's/=/=9/' /mnt/root/tp/cluster; follow; sed -i 's/=9/=/' /mnt/root/tp/cluster
follow
`);
    expect(said).toContain(
      "belongs to root, not to postgres. If it is the pair's: chown -R postgres: /var/lib/postgresql/15/tp",
    );
    expect(said).toContain("Keep it: mv -T /var/lib/postgresql/15/tp /var/lib/postgresql/15/tp.other");
    expect(said.match(/^rc=77 after \d+ s; streams: ; aside: 0$/gm)).toHaveLength(2);
    expect(said.match(follows(0))).toHaveLength(1);
  }, 120_000);

  it("drops the slot of the lost peer, and no slot of others", () => {
    const said = run(`
follow >/dev/null
for slot in a barman; do B "select pg_create_physical_replication_slot('$slot', true)" >/dev/null; done
cd / && . $scripts/lib.sh && . $scripts/pair/lib.sh && . $scripts/pair/lib-serve-alone.sh
load_pair tp
drop_slot_of_peer
B "select 'left: ' || slot_name from pg_replication_slots"
`);
    expect(said).toMatch(/^left: barman$/m);
    expect(said).not.toMatch(/^left: a$/m);
  }, 120_000);

  it("is not production by a person's promotion while it lacks what the fenced production wrote", () => {
    const said = run(`
follow >/dev/null
as $bin/psql -XAtq -d postgres -p 54971 -c "select pg_promote()" >/dev/null
cd / && . $scripts/lib.sh && . $scripts/pair/lib.sh && . $scripts/pair/lib-takeover.sh
load_pair tp
fork=$(python3 $scripts/pair/probe.py tp | python3 -c 'import json, sys; print(json.load(sys.stdin)["forked_at"])')
takes() { local was=$1 position=$2 rc=0; (require_all_writes 2>&1) || rc=$?; echo "$3: rc=$rc"; }
takes writer "$fork" all
takes writer FF/28 less
takes standby FF/28 "of a standby"
takes writer FFFFFFFF/FFFFFFFF unknown
echo id=x >/mnt/root/tp/serving; takes writer FF/28 "by this transition"
`);
    expect(said).toMatch(
      /refused: b was promoted by hand at 0\/[0-9A-F]+ and lacks what a wrote up to FF\/28; /,
    );
    const ended = said.match(/^.*: rc=\d+$/gm);
    expect(ended).toEqual([
      "all: rc=0",
      "less: rc=77",
      "of a standby: rc=0",
      "unknown: rc=0",
      "by this transition: rc=0",
    ]);
  }, 120_000);
});
