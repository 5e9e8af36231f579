import { describe, expect, it } from "vitest";
import { canPretend, pretend } from "../support/pair-machine.ts";

/** The other machine, which was made production later, or as `said` has it; it signs as peer.py does. */
const otherMachine = (said: Readonly<Record<string, unknown>> = {}): string => String.raw`
cat >"$T/peer.json" <<'END'
${JSON.stringify({
  host: "megadeth",
  epoch: 9,
  serving: 9,
  served: 9,
  serving_id: "b",
  down: null,
  standby_signal: false,
  runs: true,
  holds_address: false,
  alone: 0,
  half_made: false,
  postgres: "running",
  ...said,
})}
END
cat >"$T/peer_of_test.py" <<'END'
import os, socketserver, sys
sys.path.insert(0, os.environ["LIB"] + "/pair")
from peer_words import mac
BODY = open(os.environ["T"] + "/peer.json", "rb").read().strip()
class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        request = self.rfile.readline().strip()
        self.wfile.write(BODY + b"\n" + mac(b"the-peer-secret", b"answer", request, BODY) + b"\n")
socketserver.TCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 5480), Answer).serve_forever()
END
python3 "$T/peer_of_test.py" & until (exec 3<>/dev/tcp/127.0.0.1/5480) 2>/dev/null; do sleep 0.05; done
`;

/** step-down.sh that leaves a word, and ends the server. */
const stubs = String.raw`
for script in step-down.sh serve.sh; do
  printf 'echo %s "$@" >>"$T/acts"; kill -9 "$SERVER" 2>/dev/null || true\n' "$script" >"$LIB/pair/$script"
done
export T SERVER
# watch_for SECONDS [WORDS]: until it acts or says WORDS, which takes long on a busy machine; else SECONDS.
watch_for() {
  timeout "$1" python3 "$LIB/pair/watch.py" sounz 2>"$T/said" &
  until [ -s "$T/acts" ] || grep -qs "${"$"}{2:-no such words}" "$T/said" || ! kill -0 $! 2>/dev/null; do sleep 0.1; done
  kill $! 2>/dev/null || true
  cat "$T/acts" 2>/dev/null || echo nothing
}
`;

const full = String.raw`
mount -t tmpfs -o size=64k tmpfs "$T/root"; mkdir -p "$RECORDS"; printf 'system_id=77\n' >"$RECORDS/cluster"
dd if=/dev/zero of="$T/root/filler" bs=4k 2>/dev/null || true
`;

const bad: readonly (readonly [string, string])[] = [
  ["their disk is full", full],
  ["they are read-only", 'mount --bind "$T/root" "$T/root"; mount -o remount,bind,ro "$T/root"'],
  ["they are lost", 'rm -rf "$RECORDS"'],
  [
    "the record of the peer is no text",
    "printf '\\377\\376' >\"$RECORDS/seen\"; printf '\\377' >\"$RECORDS/serving\"",
  ],
];

describe
  .runIf(canPretend)
  .concurrent("old production steps down for a newer one", { timeout: 60_000 }, () => {
    it.each(bad)("when its records can be used no more: %s", async (_, spoil) => {
      const { stdout, stderr } = await pretend(
        `pretend_server\n${spoil}\n${otherMachine()}\n${stubs}\nwatch_for 40`,
      );
      expect(stdout, stderr).toContain("step-down.sh sounz the peer was made production later");
    });

    it("and a standby that was made production before, and runs again, is no newer one", async () => {
      const lost = 'rm -rf "$RECORDS"';
      const peer = otherMachine({ standby_signal: true });
      expect((await pretend(`pretend_server\n${lost}\n${peer}\n${stubs}\nwatch_for 3`)).stdout).toBe(
        "nothing\n",
      );
    });
  });

describe
  .runIf(canPretend)
  .concurrent("a machine that stepped down with a full disk", { timeout: 60_000 }, () => {
    /** The real step-down.sh with a server that ends by a signal, and a disk that is full but for `reserve`. */
    const stepDown = (reserve: boolean) => String.raw`
pretend_server
as_postgres mkdir -p /etc/postgresql/15/sounz/conf.d 2>/dev/null || { mkdir -p /etc/postgresql/15/sounz/conf.d; chown -R postgres: /etc/postgresql/15/sounz; }
mkdir -p "$T/fakes"; for name in systemctl nft ip; do printf '#!/bin/sh\nexit 0\n' >"$T/bin/$name"; chmod 755 "$T/bin/$name"; done
printf '#!/bin/sh\necho "Database system identifier:           77"\n' >"$T/bin/pg_controldata"; chmod 755 "$T/bin/pg_controldata"
sed -i "s|PG_BIN=/usr/lib/postgresql/.*bin|PG_BIN=$T/bin|" "$LIB/pair/lib.sh"
mount -t tmpfs -o size=160k tmpfs "$T/root"; mkdir -p "$RECORDS"; printf 'system_id=77\n' >"$RECORDS/cluster"
${reserve ? 'dd if=/dev/urandom of="$RECORDS/reserve" bs=64k count=1 2>/dev/null' : ""}
dd if=/dev/zero of="$T/root/filler" bs=4k 2>/dev/null || true
printf 'epoch=3\nid=a\n' >/dev/null
rc=0; bash "$LIB/pair/step-down.sh" sounz "the peer was made production later" 2>"$T/said" || rc=$?
echo "rc=$rc"; kill -0 "$SERVER" 2>/dev/null && echo "runs" || echo "ended"
echo "record: $(head -n 1 "$RECORDS/down" 2>/dev/null)"
ls "$DATA"; cat /etc/sounz/sounz.status
`;

    it("has the record of it, for which room was kept", async () => {
      const { stdout, stderr } = await pretend(stepDown(true));
      expect(stdout, stderr).toContain("rc=0\nended\nrecord: why=the peer was made production later");
      expect(stdout).toMatch(/standby\.signal\ndown\n$/);
      expect(stdout).not.toContain("changeover.down");
    });

    it("counts as down by the mark alone, for each script, until it follows", async () => {
      const { stdout, stderr } = await pretend(String.raw`
pretend_server; kill -9 "$SERVER"; as_postgres touch "$DATA/changeover.down"
printf '#!/bin/sh\necho "Database system identifier:           77"; echo "Database cluster state:               shut down"; echo "Latest checkpoint location:           0/28"; echo' >"$T/bin/pg_controldata"; chmod 755 "$T/bin/pg_controldata"
sed -i "s|PG_BIN=/usr/lib/postgresql/.*bin|PG_BIN=$T/bin|" "$LIB/pair/lib.sh"
printf 'id=x\nepoch=3\ntransition=switch\n' >"$RECORDS/claim"; printf 'id=x\nwas=writer\n' >"$RECORDS/fence"
does() { bash -c '. "$LIB/lib.sh"; . "$LIB/pair/lib.sh"; . "$LIB/pair/lib-fence.sh"; load_pair sounz; was=writer; unusable=""; eval "$1"' - "$1" 2>>"$T/said" || echo "rc $?"; }
rc=0; bash "$LIB/pair/cancel-fence.sh" sounz x 2>>"$T/said" || rc=$?; echo "cancel-fence $rc"
does 'find_position stopped; echo $position'; does start_server
does 'not_down; ls "$DATA"; find_position stopped; echo $position'`);
      expect(stdout, stderr).toBe("cancel-fence 77\n0/0\nrc 77\nPG_VERSION\npostmaster.pid\n0/29\n");
    });

    it("or else a mark in its data: it is not started as a standby, and the record follows", async () => {
      const { stdout, stderr } = await pretend(`${stepDown(false)}
rm -f /run/changeover-sounz.started
${otherMachine()}
${stubs}
watch_for 3
rm -f "$T/root/filler"
timeout 40 python3 "$LIB/pair/watch.py" sounz 2>>"$T/said" & until [ -e "$RECORDS/down" ] && [ ! -e "$DATA/changeover.down" ]; do sleep 0.1; done
echo "then: $(cat "$RECORDS/down")"; ls "$DATA"; cat "$T/acts" 2>/dev/null || echo nothing`);
      expect(stdout, stderr).toContain(
        "rc=0\nended\nrecord: \nPG_VERSION\nchangeover.down\npostmaster.pid\nstandby.signal\ndown\nnothing\n",
      );
      expect(stdout).toMatch(
        /then: why=it stepped down[^]*\nPG_VERSION\npostmaster.pid\nstandby.signal\nnothing\n$/,
      );
    });
  });

describe
  .runIf(canPretend)
  .concurrent("a server that was started at this boot and stopped", { timeout: 60_000 }, () => {
    const stopped = (
      how: string,
      peer = otherMachine({ serving: 1, standby_signal: true, runs: true }),
    ) => String.raw`
pretend_server
kill -9 "$SERVER"; sleep 0.1
: >/run/changeover-sounz.started; : >/run/dpkg.lock; export CHANGEOVER_DPKG_LOCK=/run/dpkg.lock
printf 'id=a\nepoch=3\n' >"$RECORDS/serving"
${peer}
${stubs}
${how}`;
    const holdDpkg = `python3 -c 'import fcntl, time; f = open("/run/dpkg.lock", "w"); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(30)' & HELD=$!; sleep 0.3`;
    const script = "postgresql-15.prerm";
    /** systemd runs package_stop.py after a stop, while the script that stopped it waits. */
    const packageStops = String.raw`
mkdir -p "$T/dpkg/var/lib/dpkg/info"; mount -t tmpfs tmpfs /var/lib/dpkg/info
printf 'sleep 30\n' >/var/lib/dpkg/info/${script}
sh /var/lib/dpkg/info/${script} upgrade & SCRIPT=$!; sleep 0.2
python3 "$LIB/pair/package_stop.py" sounz; kill "$SCRIPT"`;

    it("by a person stays stopped, and the watch says so", async () => {
      const { stdout, stderr } = await pretend(
        stopped(`python3 "$LIB/pair/package_stop.py" sounz\nwatch_for 40 "left alone"; cat "$T/said"`),
      );
      expect(stdout, stderr).toMatch(/^nothing\n/);
      expect(
        stdout.match(/left alone: the server was started at this boot and then stopped by a person/g),
      ).toHaveLength(1);
    });

    it("by an upgrade of its package starts again, once dpkg has ended", async () => {
      const { stdout, stderr } = await pretend(
        stopped(
          `${packageStops}\n${holdDpkg}\nwatch_for 3; kill "$HELD"; wait "$HELD" || true; watch_for 40`,
        ),
      );
      expect(stdout, stderr).toMatch(/^nothing\nserve.sh sounz production\n/);
    });

    it("by a person after that stays stopped", async () => {
      const { stdout, stderr } = await pretend(
        stopped(`${packageStops}\npython3 "$LIB/pair/package_stop.py" sounz\nwatch_for 40 "left alone"`),
      );
      expect(stdout, stderr).toBe("nothing\n");
    });
  });

describe
  .runIf(canPretend)
  .concurrent("a copy of production's disk on another machine", { timeout: 60_000 }, () => {
    const boot = (id: string) => String.raw`
pretend_server
kill -9 "$SERVER"; sleep 0.1
printf 'id=%s\n' ${id} >"$RECORDS/machine"
printf 'id=a\nepoch=3\n' >"$RECORDS/serving"
${otherMachine({ serving: 1, standby_signal: true })}
${stubs}
watch_for 40 "not started"; cat "$T/said"`;

    it("serves nobody, and says why", async () => {
      const { stdout, stderr } = await pretend(boot("0123456789abcdef0123456789abcdef"));
      expect(stdout, stderr).toMatch(/^nothing\n[^]*not started: its disk is a copy of another machine's/);
    });

    it("and a machine whose disk moved with it serves", async () => {
      expect((await pretend(boot('"$(cat /etc/machine-id)"'))).stdout).toContain("serve.sh sounz production");
    });
  });
