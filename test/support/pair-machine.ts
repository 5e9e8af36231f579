import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { root } from "../../config/places.ts";

/** Whether this machine can pretend to be a machine of a pair: root, with PostgreSQL's account. */
export const canPretend =
  process.getuid?.() === 0 && spawnSync("sh", ["-c", "id postgres && command -v pg_ctl"]).status === 0;

/**
 * A machine of pair `sounz` in namespaces of its own, with the real scripts in $LIB, its records in $RECORDS and its
 * data folder in $DATA. Nothing outside of a temporary folder changes. The other machine is 127.0.0.1, this one 127.0.0.2.
 */
const machine = String.raw`
set -eu
ip link set lo up
mount --make-rprivate /
mkdir -p "$T/up" "$T/work" "$T/bin"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$T/up,workdir=$T/work" /etc
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib/postgresql
chown postgres: /var/lib/postgresql
cp -r "$ROOT/scripts" "$T/lib"
export CHANGEOVER_ROOT=$T/root LIB=$T/lib RECORDS=$T/root/sounz DATA=/var/lib/postgresql/15/sounz PATH=$T/bin:$PATH
export PYTHONDONTWRITEBYTECODE=1
mkdir -p "$RECORDS" /etc/sounz
chmod 755 "$T"
printf '%s\n' PAIR=sounz SELF=slayer PEER=megadeth SELF_ADDRESS=127.0.0.2 PEER_ADDRESS=127.0.0.1 SERVICE_ADDRESS=none \
  INTERFACE=auto DATABASE=sounz PORT=5432 PEER_PORT=5480 CLIENTS= PRIMARY=slayer SECONDARY=megadeth >/etc/sounz/sounz.conf
printf 'the-peer-secret\n' >/etc/sounz/secret
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }
# A program in the data folder is the server, as far as the records and the process table say.
pretend_server() {
  as_postgres mkdir -p "$DATA"
  as_postgres sh -c 'echo 15 >"$1/PG_VERSION"' - "$DATA"
  printf 'system_id=77\n' >"$RECORDS/cluster"
  (cd "$DATA" && exec setpriv --reuid=postgres --regid=postgres --init-groups -- sleep 60) & SERVER=$!
  echo "$SERVER" >"$DATA/postmaster.pid"
}
`;

/** How a program on such a machine ended. */
export interface Pretended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function textOf(stream: Readable): Promise<string> {
  let text = "";
  for await (const part of stream) text += String(part);
  return text;
}

/** Run a Bash program on a machine that is made for it, and gone after it. */
export async function pretend(program: string): Promise<Pretended> {
  const folder = mkdtempSync(join(tmpdir(), "pair-machine-"));
  try {
    const file = join(folder, "program.sh");
    writeFileSync(file, `${machine}\n${program}\n`);
    // Processes that the program leaves behind end with it.
    const child = spawn(
      "unshare",
      ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", file],
      { env: { ...process.env, T: folder, ROOT: root }, stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 },
    );
    const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
    const code = await new Promise<number | null>((resolve) => child.on("exit", resolve));
    return { code, stdout: await stdout, stderr: await stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
