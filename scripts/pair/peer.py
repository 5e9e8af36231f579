#!/usr/bin/env python3
"""Answer the other machine of a pair with this one's facts, signed with the pair's secret.

Usage: peer.py PAIR    (a service; reads /etc/PAIR/PAIR.conf and /etc/PAIR/secret)

One request is one line, a nonce, or `nonce standing` for what costs no look at the
server; the answer is a line of JSON and a line with its HMAC-SHA256 over request and
JSON. Read-only but for `nonce lift ID mac`, signed too: the other machine gives up a
takeover, and this one serves again (lift.sh, which has the last word).
"""

import hmac
import json
import os
import socketserver
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from facts import facts  # noqa: E402
from files import pairs_of, text_of  # noqa: E402
from standing import standing  # noqa: E402

LIMIT_S, LIFT_LIMIT_S = 3, 80
HERE = os.path.dirname(os.path.abspath(__file__))


def lifted(pair, transition):
    words = ["bash", f"{HERE}/lift.sh", pair, transition]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=LIFT_LIMIT_S, check=False, stdin=subprocess.DEVNULL)
        said, code = done.stdout or done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        said, code = f"lift.sh does not end within {LIFT_LIMIT_S} s", 75
    return {"code": code, "said": said.strip().rsplit("\n", 1)[-1]}


def answer_to(request, pair, secret):
    """What is asked for; None for a request that has no right to it."""
    words = request.split(b" ")
    if words[1:2] == [b"standing"]:
        return standing(pair)
    if words[1:2] == [b"lift"]:
        signed, _, mac = request.rpartition(b" ")
        proved = len(words) == 4 and hmac.compare_digest(hmac.digest(secret, signed, "sha256").hex().encode(), mac)
        host = (pairs_of(f"/etc/{pair}/{pair}.conf") or {}).get("SELF")
        return {"host": host, **lifted(pair, words[2].decode())} if proved else None
    return facts(pair)


class Answer(socketserver.StreamRequestHandler):
    timeout = LIMIT_S

    def handle(self):
        request = self.rfile.readline(400).strip()
        pair = self.server.pair
        secret = (text_of(f"/etc/{pair}/secret") or "").encode()
        if not request or not secret:
            return
        said = answer_to(request, pair, secret)
        if said is None:
            return
        body = json.dumps(said).encode()
        self.wfile.write(body + b"\n" + hmac.digest(secret, request + body, "sha256").hex().encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 16

    def handle_error(self, request, client_address):
        print(f"{client_address[0]}: {sys.exc_info()[1]}", file=sys.stderr)


if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
    print(__doc__)
    sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
CONF = pairs_of(f"/etc/{sys.argv[1]}/{sys.argv[1]}.conf") or sys.exit("the pair is not configured here")
with Server((CONF["SELF_ADDRESS"], int(CONF["PEER_PORT"])), Answer) as server:
    server.pair = sys.argv[1]
    server.serve_forever()
