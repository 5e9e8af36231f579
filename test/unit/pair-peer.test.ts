import { describe, expect, it } from "vitest";
import { canPretend, pretend } from "../support/pair-machine.ts";

/** peer.py of slayer runs; `request` sends a line from an address, and gives what comes back. */
const answering = String.raw`
pretend_server
printf 'id=a\nepoch=3\n' >"$RECORDS/serving"
export T
# Limits of a second would be a race on a busy machine.
sed -i 's/^PSQL_LIMIT_S = .*/PSQL_LIMIT_S = 30/' "$LIB/pair/role.py"; sed -i 's/^LIMIT_S, LIFT_LIMIT_S = 3,/LIMIT_S, LIFT_LIMIT_S = 15,/' "$LIB/pair/peer.py"
sed -i "s|^BIN = .*|BIN = '$T/bin'|" "$LIB/pair/role.py"
printf '#!/bin/sh\nmkdir "%s/one" || echo beside >>%s/asked\necho asked >>%s/asked\nsleep 0.3\nrmdir "%s/one"\n' "$T" "$T" "$T" "$T" >"$T/bin/psql"
chmod -R a+rwX "$T"; chmod a+x "$T/bin/psql"; touch "$T/asked"; chmod a+w "$T/asked"
python3 "$LIB/pair/peer.py" sounz 2>"$T/said" & until (exec 3<>/dev/tcp/127.0.0.2/5480) 2>/dev/null; do sleep 0.05; done
cat >"$T/tests.py" <<'END'
import hashlib, hmac, json, os, socket, sys, threading
sys.path.insert(0, os.environ["LIB"] + "/pair")
from peer_words import mac, signed
SECRET = b"the-peer-secret"
def request(line, source="127.0.0.1"):
    try:
        with socket.create_connection(("127.0.0.2", 5480), 40, source_address=(source, 0)) as peer:
            peer.sendall(line + b"\n")
            return peer.makefile("rb").read()
    except ConnectionError:
        return b""
def asked():
    return open(os.environ["T"] + "/asked").read().split()
def all_at_once(lines):
    got = []
    threads = [threading.Thread(target=lambda line=line: got.append(request(line))) for line in lines]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return got
END
`;
const ask = (python: string) => `${answering}
cat >>"$T/tests.py" <<'END'
${python}
END
python3 "$T/tests.py" || cat "$T/said"`;

describe
  .runIf(canPretend)
  .concurrent("the program that answers the other machine", { timeout: 60_000 }, () => {
    it("does nothing for who has no secret, or another address, or a recorded request", async () => {
      const { stdout, stderr } = await pretend(
        ask(String.raw`
good = signed(SECRET, [])
nonce = b"0" * 32
old = nonce + b" lift x "
forged = [b"", b"x", nonce, b"2 " + nonce + b" ", signed(b"another", []), good[:-1] + b"0" if good[-1:] != b"0" else good[:-1] + b"1",
  good.replace(b"2 ", b"1 "), b"x" * 10000, old + hmac.digest(SECRET, old[:-1], "sha256").hex().encode()]
print([request(line) for line in forged] == [b""] * len(forged), len(asked()))
print(set(all_at_once([signed(b"another", [])] * 300)), len(asked()))
print(request(good, "127.0.0.3"), len(asked()))
body, proof = request(good).split(b"\n")[:2]
print(json.loads(body)["host"], proof == mac(SECRET, b"answer", good, body), asked().count("asked"))
print(request(good), asked().count("asked"))`),
      );
      expect(stdout, stderr).toBe("True 0\n{b''} 0\nb'' 0\nslayer True 1\nb'' 1\n");
    });

    it("asks its server one question at a time, however many signed requests come", async () => {
      const { stdout, stderr } = await pretend(
        ask(String.raw`
got = all_at_once([signed(SECRET, []) for _ in range(20)])
print("beside" in asked(), 1 <= asked().count("asked") <= 20, len(got))
print(json.loads(request(signed(SECRET, [b"standing"])).split(b"\n")[0])["serving"])`),
      );
      expect(stdout, stderr).toBe("False True 20\n3\n");
    });

    it("tells an older release on the other machine who serves, until that one signs", async () => {
      const { stdout, stderr } = await pretend(
        ask(String.raw`
old = b"0" * 32 + b" standing"
body, proof = request(old).split(b"\n")[:2]
print(json.loads(body)["serving"], proof.decode() == hmac.digest(SECRET, old + body, "sha256").hex())
print(request(b"0" * 32), request(old, "127.0.0.3"))
request(signed(SECRET, [b"standing"]))
print(request(old))`),
      );
      expect(stdout, stderr).toBe("3 True\nb'' b''\nb''\n");
    });
  });

/** A program on the other machine that answers each request by `reply(request)`. */
const other = (reply: string, then: string) => String.raw`
cat >"$T/other.py" <<'END'
import hashlib, hmac, json, os, socketserver, sys
sys.path.insert(0, os.environ["LIB"] + "/pair")
from peer_words import mac
SAID = {"host": "megadeth", "epoch": 4, "serving": 2, "served": 2, "serving_id": "b", "down": None, "standby_signal": True,
  "runs": True, "holds_address": False, "alone": 0, "half_made": False, "postgres": "running", "in_recovery": True,
  "claim": {"id": "c1", "transition": "switch"}, "fence": {"id": "c1", "position": "0/3000028"}, "status": "standby"}
${reply}
class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(reply(self.rfile.readline().strip()))
socketserver.TCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 5480), Answer).serve_forever()
END
python3 "$T/other.py" & until (exec 3<>/dev/tcp/127.0.0.1/5480) 2>/dev/null; do sleep 0.05; done
sed -i 's/^LIMIT_S = 4/LIMIT_S = 30/' "$LIB/pair/ask_peer.py"
asks() { python3 "$LIB/pair/ask_peer.py" sounz "$@" 2>&1 || echo "rc $?"; }
${then}`;

const signs = (secret: string) => String.raw`
def reply(request):
    secret = ${secret}
    if mac(secret, b"request", request.rpartition(b" ")[0]) != request.rpartition(b" ")[2]:
        return b""
    body = json.dumps(SAID).encode()
    return body + b"\n" + mac(secret, b"answer", request, body) + b"\n"`;

describe.runIf(canPretend).concurrent("a machine that asks the other one", { timeout: 60_000 }, () => {
  it("gets the values of its answer", async () => {
    const { stdout, stderr } = await pretend(
      other(signs('b"the-peer-secret"'), "asks served fence.position postgres claim.id in_recovery down"),
    );
    expect(stdout, stderr).toBe("2\n0/3000028\nrunning\nc1\ntrue\n\n");
  });

  it("gets every value that a script asks for", async () => {
    const { stdout, stderr } =
      await pretend(String.raw`grep -rhoE 'ask_peer.py" "\$PAIR" [^)"]*|asked=\([^)]*' "$LIB/pair" --include='*.sh' | grep -v ' lift ' |
      sed -E 's/.*PAIR" //; s/.*\(//; s/(2>|[|][|]).*//' | tr ' ' '\n' | sort -u | grep . >"$T/asked"; export T
python3 -c 'import os, sys; sys.path.insert(0, os.environ["LIB"] + "/pair"); from peer_words import ALLOWED; asked = open(os.environ["T"] + "/asked").read().split(); print(len(asked) > 8, [key for key in asked if key not in ALLOWED])'`);
    expect(stdout, stderr).toBe("True []\n");
  });

  it("understands an older release", async () => {
    const older = String.raw`
def reply(request):
    words = request.split()
    said = SAID if words[1:] == [b"standing"] else {key: SAID[key] for key in SAID if key != "runs"}
    body = json.dumps(said).encode()
    return body + b"\n" + hmac.digest(b"the-peer-secret", request + body, "sha256").hex().encode() + b"\n"`;
    const look = `python3 -c 'import os, sys; sys.path.insert(0, os.environ["LIB"] + "/pair"); import ask_peer; print(ask_peer.ask("sounz", "standing")["runs"])'`;
    expect((await pretend(other(older, `${look}; asks served`))).stdout).toBe("True\n2\n");
  });

  it("hears the other one while a secret is replaced, and then forgets the one before", async () => {
    const lib = String.raw`. "$LIB/lib.sh"; . "$LIB/pair/lib-secrets.sh"; PAIR=sounz`;
    const replace = (secret: string) =>
      `bash -c '${lib}; SECRET[peer]=${secret}; write_peer_secret' && stat -c '%a %n' /etc/sounz/secret*`;
    const both = String.raw`
${replace("second-secret")}; asks served; cat /etc/sounz/secret.before
${replace("third-secret")}; asks served; cat /etc/sounz/secret.before; ls /etc/sounz | grep -c before || true
touch "$T/told"; asks served; ls /etc/sounz | grep -c before || true`;
    const late = signs(
      `b"third-secret" if os.path.exists(os.environ["T"] + "/told") else b"the-peer-secret"`,
    );
    const { stdout, stderr } = await pretend(`export T\n${other(late, both)}`);
    expect(stdout, stderr).toBe(
      [
        "600 /etc/sounz/secret\n600 /etc/sounz/secret.before\n2\nthe-peer-secret",
        "600 /etc/sounz/secret\n600 /etc/sounz/secret.before\n2\nthe-peer-secret\nsecond-secret\n1\n2\n0\n",
      ].join("\n"),
    );
  });

  const payloads = [
    "BASH_VERSINFO[$(touch OWNED)0]",
    "1; drop role x",
    "0/1' or true --",
    "../../etc/passwd",
    "a\nb",
    "$(touch OWNED)",
    "x".repeat(9999),
    -1,
    1e300,
    1.5,
    [1],
    { a: 1 },
    true,
    null,
  ];
  it("takes no value that is not what it may be, whatever its key", async () => {
    const hostile = String.raw`
import json, os, sys
sys.path.insert(0, os.environ["LIB"] + "/pair")
from peer_words import ALLOWED, MAY_BE_NULL, checked
payloads = json.loads(sys.stdin.read())
fine = []
for key in ALLOWED:
    for value in payloads:
        group, _, part = key.rpartition(".")
        try:
            kept = checked({group: {part: value}} if group else {key: value})
        except ValueError:
            continue
        place = kept.get(group) if group else kept
        if place[part] is not None:
            fine.append([key, value])
print(json.dumps(fine)); print(checked({"unknown": "$(x)", "claim": {"unknown": 1}}))
try: checked([1])
except ValueError: print("no object")
try: checked({"claim": "x"})
except ValueError: print("no object")`;
    const { stdout, stderr } = await pretend(
      `python3 -c '${hostile.replaceAll("'", `'"'"'`)}' <<'END'\n${JSON.stringify(payloads)}\nEND`,
    );
    const [fine = "", ...rest] = stdout.split("\n");
    const flags = ["half_made", "standby_signal", "holds_address", "runs", "in_recovery", "stands_still"];
    const texts = ["down", "said"];
    expect(JSON.parse(fine), stderr).toEqual(
      [
        ...texts.flatMap((key) =>
          payloads
            .filter((value) => typeof value === "string" && !/\n/.test(value) && value.length < 400)
            .map((value) => [key, value]),
        ),
        ...flags.map((key) => [key, true]),
      ].sort((one, two) => order(one) - order(two)),
    );
    expect(rest.slice(0, 3)).toEqual([
      "{'claim': {'id': None, 'transition': None}, 'fence': None, 'streaming': None}",
      "no object",
      "no object",
    ]);
    function order([key]: unknown[]): number {
      return [
        "down",
        "half_made",
        "standby_signal",
        "holds_address",
        "runs",
        "in_recovery",
        "stands_still",
        "said",
      ].indexOf(String(key));
    }
  });

  it("evaluates nothing of an answer in its scripts", async () => {
    const evil = `SAID["served"] = "BASH_VERSINFO[$(touch /run/OWNED)0]"\n${signs('b"the-peer-secret"')}`;
    const last = String.raw`bash -c '. "$LIB/lib.sh"; . "$LIB/pair/lib.sh"; . "$LIB/pair/lib-carried.sh"; . "$LIB/pair/lib-files.sh"; load_pair sounz
      rc=0; peer_was_production_last || rc=$?; echo "rc $rc"
      as_postgres() { echo "BASH_VERSINFO[\$(touch /run/OWNED)0]"; }
      peer_says "$A_NUMBER" "select 1" || echo "no number"
      as_postgres() { echo 77; }; peer_says "$A_NUMBER" "select 1"'; ls /run/OWNED 2>/dev/null || echo clean`;
    expect((await pretend(other(evil, last))).stdout).toBe("rc 2\nno number\n77\nclean\n");
  });

  it.each([
    ["the size of the data", "copy_from_peer $DATA.copying", "pg_default", ""],
    ["the size of a tablespace", "copy_from_peer $DATA.copying", "pg_tablespace_size(1", "7 /srv/other"],
    ["the number of a tablespace", "copy_from_peer $DATA.copying", "no question", "7);evil /srv/other"],
    ["the path of a tablespace", "copy_from_peer $DATA.copying", "no question", "7 /srv/other/../../etc"],
    ["where it writes", "follow_peer", "pg_walfile_name", ""],
  ])("copies and follows nothing by an answer that is not %s", async (_, act, asked, tablespace) => {
    const evils = [
      "a[$(touch /run/OWNED)]",
      "1; drop role x",
      "08",
      "9".repeat(40),
      "1|0/1' or true --",
      "1|0/1\nx",
      "-1",
      "",
    ];
    const { stdout, stderr } = await pretend(String.raw`as_postgres mkdir -p "$DATA"
cat >"$T/act.sh" <<'END'
. "$LIB/lib.sh"; . "$LIB/pair/lib.sh"; for name in settings cluster-copy carried follow; do . "$LIB/pair/lib-$name.sh"; done
load_pair sounz; unusable=''
keep_slot() { :; }; make_tablespace() { echo made; }; follow_with_own_data() { echo "followed $1"; }
as_postgres() { [[ $1 != */pg_basebackup ]] || echo copied; }; require_room() { (($2 >= 0)); [[ $1 != /srv/* ]] || echo fits; }
peer_sql() {
  case $1 in
    *"${asked}"*) printf '%s\n' "$EVIL" ;;
    *'select oid'*) printf '%s\n' "${tablespace.replace("7 ", "1 ")}" ;;
    *) echo 1 ;;
  esac
}
${act}
END
while IFS= read -r -d , EVIL; do export EVIL; rc=0; bash "$T/act.sh" 2>>"$T/said" || rc=$?; echo "rc $rc"; done <<'END'
${evils.join(",")},
END
ls /run/OWNED 2>/dev/null || echo clean`);
    const code = asked === "no question" ? 77 : 75;
    const lines = stdout.trim().split("\n");
    expect(
      lines.filter((line) => line !== "made"),
      stderr,
    ).toEqual([...evils.map(() => `rc ${String(code)}`), "clean"]);
  });
});
