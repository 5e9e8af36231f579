import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../config/places.ts";
import { canPretend, pretend } from "../support/pair-machine.ts";

const secret = "THE-SECRET-OF-THE-TEST";
const scripts = join(root, "scripts");
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pair-logins-"));
  const made = ["req", "-x509", "-newkey", "rsa:2048", "-sha256", "-nodes", "-days", "2", "-subj", "/CN=x"];
  execFileSync("openssl", [...made, "-keyout", join(folder, "key"), "-out", join(folder, "crt")], {
    stdio: "ignore",
  });
  writeFileSync(join(folder, "pgpass"), `*:*:*:*:${secret}\n`, { mode: 0o600 });
  // psql runs as the account of PostgreSQL.
  execFileSync("sh", ["-c", 'chmod 755 "$1" && chown postgres: "$1/pgpass" || true', "-", folder]);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const auth = (code: number, rest = Buffer.alloc(0)): Buffer => {
  const body = Buffer.alloc(9);
  body.write("R", 0);
  body.writeInt32BE(8 + rest.length, 1);
  body.writeInt32BE(code, 5);
  return Buffer.concat([body, rest]);
};
const scram = auth(10, Buffer.from("SCRAM-SHA-256\0\0"));
const demands: Readonly<Record<string, readonly Buffer[]>> = {
  "the password": [auth(3)],
  "its MD5": [auth(5, Buffer.from("salt"))],
  "SCRAM, and then the password": [scram, auth(3), auth(3)],
  nothing: [auth(0)],
};

/** A server that is not the pair's: it demands what it is told to, over TLS too, and keeps every byte that it gets. */
async function fake(
  demand: readonly Buffer[],
): Promise<{ server: Server; port: number; got: Buffer[]; met: () => number }> {
  const got: Buffer[] = [];
  let met = 0;
  const talk = (socket: Socket | TLSSocket): void => {
    const left = [...demand];
    socket.on("error", () => undefined);
    socket.on("data", (data: Buffer) => {
      got.push(data);
      if (data.length === 8 && data.readInt32BE(4) === 80877103) {
        socket.removeAllListeners("data");
        socket.write("S");
        const options = {
          isServer: true,
          key: readFileSync(join(folder, "key")),
          cert: readFileSync(join(folder, "crt")),
        };
        talk(new TLSSocket(socket, options));
        return;
      }
      met += 1;
      const next = left.shift();
      if (next) socket.write(next);
    });
  };
  const server = createServer(talk);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port, got, met: () => met };
}

/** A connection string of the host scripts, as they write it. */
const conninfo = (port: number, which: string): string =>
  execFileSync(
    "bash",
    [
      "-c",
      `. ${scripts}/lib.sh; . ${scripts}/pair/lib.sh; . ${scripts}/pair/lib-settings.sh
      PEER_ADDRESS=127.0.0.1 PORT=${String(port)} SELF=slayer PAIR=sounz PGPASSFILE=${folder}/pgpass; ${which}`,
    ],
    { encoding: "utf8" },
  ).trim();
const psql = (info: string): ChildProcess =>
  spawn("psql", ["-XAtqw", "-d", info, "-c", "select 1"], {
    env: { ...process.env, PGPASSFILE: join(folder, "pgpass"), PGPASSWORD: secret },
  });
const productionCheck = (port: number): string =>
  execFileSync(
    "python3",
    [
      "-c",
      `import sys; sys.path.insert(0, "${scripts}/pair")
import production_checks
production_checks.run_check = lambda words, wanted, stdin: print(words[-1])
[check() for name, check in production_checks.database_checks({"DATABASE": "sounz", "PORT": "${String(port)}", "PAIR": "sounz"}) if "tcp" in name]`,
    ],
    { encoding: "utf8" },
  ).trim();

const clients: Readonly<Record<string, (port: number) => ChildProcess>> = {
  "the check from the operator's machine": (port) => {
    const child = spawn(process.execPath, [join(root, "components/pair/run/check-from-outside.ts")]);
    child.stdin.end(
      JSON.stringify({
        pair: "sounz",
        address: "127.0.0.1",
        port,
        database: "sounz",
        password: secret,
        clients: 0,
        pages: {},
      }),
    );
    return child;
  },
  "the check from a host": (port) => {
    const child = spawn("python3", [
      `${scripts}/pair/check_database.py`,
      "127.0.0.1",
      String(port),
      "sounz",
      "none",
    ]);
    child.stdin.end(`${secret}\n`);
    return child;
  },
  "a script that asks the other machine's server": (port) => psql(conninfo(port, "peer_server")),
  "a standby that streams": (port) =>
    psql(conninfo(port, `postgresql_conf | sed -n "s/^primary_conninfo = '\\(.*\\)'/\\1/p"`)),
  "the check of production by its own server": (port) => psql(productionCheck(port)),
};

describe.concurrent.each(Object.entries(clients))("%s", { timeout: 60_000 }, (_, start) => {
  it.each(Object.entries(demands))("tells no password to who asks for %s", async (asked, demand) => {
    const { server, port, got, met } = await fake(demand);
    const child = start(port);
    let said = "";
    child.stderr?.on("data", (data: Buffer) => (said += data.toString()));
    const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
    // The check repeats; some rounds are enough.
    await expect.poll(() => met() > 2 || child.exitCode !== null, { timeout: 40_000 }).toBe(true);
    child.kill();
    await ended;
    server.close();
    const bytes = Buffer.concat(got).toString("latin1");
    expect(bytes).not.toContain(secret);
    // After what it was asked no other answer than the first word of SCRAM, which has no part of the password.
    const answers = bytes.split("p\0\0").slice(1);
    if (asked !== "SCRAM, and then the password") expect(answers, said).toEqual([]);
    else for (const answer of answers) expect(answer).toContain("SCRAM-SHA-256");
    expect(child.exitCode).not.toBe(0);
  });
});

describe.runIf(canPretend)("a real server with the settings of a pair", { timeout: 60_000 }, () => {
  it("admits each role from its own place only, encrypted to the other machine, and checks by a role that sees nothing else", async () => {
    const program = String.raw`
ip address add 10.9.0.1/24 dev lo
sed -i 's|^CLIENTS=.*|CLIENTS=10.9.0.0/24|' /etc/sounz/sounz.conf
S=/etc/postgresql/15/sounz; mkdir -p "$S/conf.d" /run/postgresql; chown -R postgres: "$S" /run/postgresql /etc/postgresql
chmod -R a+rX "$T"; as_postgres mkdir -p /var/lib/postgresql/15
as_postgres /usr/lib/postgresql/15/bin/initdb -D "$DATA" --no-sync -A trust >/dev/null
as_postgres cp "$DATA/pg_hba.conf" "$S/"
echo 'host replication barman 10.9.9.9/32 scram-sha-256' >"$S/pg_hba.conf"
printf '%s\n' "data_directory = '$DATA'" "hba_file = '$S/pg_hba.conf'" "include_dir = 'conf.d'" 'fsync = off' | as_postgres tee "$S/postgresql.conf" >/dev/null
printf '%s\n' 'work_mem = 5MB' 'log_min_duration_statement = 0' 'log_statement = all' | as_postgres tee "$S/conf.d/mine.conf" >/dev/null
printf '%s=%s\n' peer a replication the-replication-secret rsync c checks the-checks-secret owner the-owner-secret >"$T/secrets"
tell=$(cat <<'END'
. "$LIB/lib.sh"; . "$LIB/pair/lib.sh"; . "$LIB/pair/lib-settings.sh"; . "$LIB/pair/lib-secrets.sh"; load_pair sounz
read_secrets replication checks owner <"$T/secrets"
END
)
export T
bash -c "$tell"'
write_settings
as_postgres "$PG_BIN/pg_ctl" -s -w -D "$DATA" -o "-c config_file=$SETTINGS/postgresql.conf" -l /run/postgresql/log start
tell_roles; sql "create database sounz owner sounz"; admit_checks; write_pgpass "$PGPASSFILE"
peer_sql "select current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()"
write_settings; write_settings' 2>"$T/said" || { cat "$T/said" /run/postgresql/log >&2; exit 1; }
try() { PGPASSWORD=$1 psql -XAtqw "$2" -c "$3" 2>&1 | sed 's/.*FATAL:  //' | head -n 1; }
try the-replication-secret 'host=127.0.0.1 user=changeover dbname=postgres sslmode=disable' 'select 1'
try the-replication-secret 'host=127.0.0.1 user=changeover dbname=template1' 'select 1'
try the-replication-secret 'host=10.9.0.1 user=changeover dbname=postgres' 'select 1'
try the-replication-secret 'host=10.9.0.1 user=changeover dbname=sounz' 'select 1'
try the-owner-secret 'host=10.9.0.1 user=sounz dbname=sounz' 'select current_user'
try the-owner-secret 'host=10.9.0.1 user=sounz dbname=postgres' 'select 1'
try the-checks-secret 'host=10.9.0.1 user=changeover_check dbname=sounz' "select count(*) from pg_stat_replication where state = 'x'"
try the-checks-secret 'host=10.9.0.1 user=changeover_check dbname=sounz' "select pg_read_file('postgresql.conf')"
python3 "$LIB/pair/check_database.py" 10.9.0.1 5432 sounz none <<<the-checks-secret && echo checked
grep -c '^# --- Changeover' "$S/pg_hba.conf"; grep barman "$S/pg_hba.conf"; cat "$S/conf.d/mine.conf"
grep -c 'alter role changeover' /run/postgresql/log >/dev/null
grep -c -- -secret "$S/pg_hba.conf" "$S"/conf.d/* /run/postgresql/log | sed 's/.*://' | sort -u
as_postgres /usr/lib/postgresql/15/bin/pg_ctl -s -m immediate -D "$DATA" stop`;
    const { stdout, stderr } = await pretend(program);
    expect(stdout.split("\n"), stderr).toEqual([
      "changeover|t",
      expect.stringMatching(
        /^pg_hba.conf rejects connection for host "127.0.0.1", user "changeover", database "postgres", no encryption/,
      ),
      expect.stringMatching(/^pg_hba.conf rejects .*template1/),
      expect.stringMatching(/^pg_hba.conf rejects .*10.9.0.1.*postgres/),
      expect.stringMatching(/^pg_hba.conf rejects .*10.9.0.1.*sounz/),
      "sounz",
      expect.stringMatching(/^no pg_hba.conf entry .*"sounz", database "postgres"/),
      "0",
      expect.stringContaining("permission denied"),
      "checked",
      "1",
      "host replication barman 10.9.9.9/32 scram-sha-256",
      "work_mem = 5MB",
      "log_min_duration_statement = 0",
      "log_statement = all",
      "0",
      "",
    ]);
  });
});

describe("pg_hba.conf", () => {
  const merged = (old: string, block: string, ...roles: string[]): string => {
    const file = join(folder, "hba");
    writeFileSync(file, old);
    return execFileSync("python3", [`${scripts}/pair/pg_hba.py`, file, ...roles], {
      input: block,
      encoding: "utf8",
    });
  };
  const first = () => merged("", "host a b\n");

  it("keeps every line of others where it is, above and below", () => {
    const mine = [
      "# mine",
      "host replication barman 10.9.9.9/32 scram-sha-256",
      "",
      "hostssl all all 0.0.0.0/0 cert",
    ].join("\n");
    const once = merged(`${mine}\n${first()}${mine}\n`, "host c d\n");
    expect(once).toBe(`${mine}\n${first().replace("host a b", "host c d")}${mine}\n`);
    expect(merged(once, "host c d\n")).toBe(once);
  });

  it("of Debian's own is replaced; of an earlier release keeps the lines of others, and lets its other roles in", () => {
    expect(
      merged("# PostgreSQL Client Authentication Configuration File\nlocal all all peer\n", "host a b\n"),
    ).toBe(first());
    const earlier = `local all postgres peer
local all all scram-sha-256
host replication changeover 10.0.0.2/32 scram-sha-256
host all changeover 10.0.0.2/32 scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host all all 10.1.0.0/16 scram-sha-256
host replication barman 10.9.9.9/32 scram-sha-256
`;
    expect(merged(earlier, "host a b\n", "reports").slice(first().length).split("\n")).toEqual([
      expect.stringMatching(/^# Until this release every role could log in/),
      'host all "reports" 10.1.0.0/16 scram-sha-256',
      "host replication barman 10.9.9.9/32 scram-sha-256",
      "",
    ]);
    expect(merged(earlier, "host a b\n").slice(first().length)).toBe(
      "host replication barman 10.9.9.9/32 scram-sha-256\n",
    );
  });
});
