#!/usr/bin/env python3
"""Answer the peer, the other machine of a pair, with this machine's facts.

Usage: peer.py PAIR    (a service; reads /etc/PAIR/PAIR.conf and /etc/PAIR/secret)

A request is one line: a nonce, or `nonce standing` for the facts that need no answer of
the server. The answer is a line of JSON, and a line with the HMAC-SHA256 of request and
JSON under the pair's secret. Read-only, with one exception: after `nonce lift ID mac`,
which is signed too, this machine serves again if cancel-fence.sh agrees.
"""

import hmac
import json
import os
import socketserver
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from ask_peer import LIFT_LIMIT_S as PEER_WAITS_S  # noqa: E402
from facts import facts  # noqa: E402
from files import pairs_of, text_of  # noqa: E402
from role import role_of  # noqa: E402

# The answer must arrive while the peer still waits for it.
LIMIT_S, LIFT_LIMIT_S = 3, PEER_WAITS_S - 10
HERE = os.path.dirname(os.path.abspath(__file__))


def cancel_fence(pair, transition):
    """Run cancel-fence.sh; its exit code and its last line."""
    words = ["bash", f"{HERE}/cancel-fence.sh", pair, transition]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=LIFT_LIMIT_S, check=False, stdin=subprocess.DEVNULL)
        said, code = done.stdout or done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        said, code = f"cancel-fence.sh: not done after {LIFT_LIMIT_S} s", 75
    return {"code": code, "said": said.strip().rsplit("\n", 1)[-1]}


def answer_to(request, pair, secret):
    """The answer to a request; None for one without a valid signature."""
    words = request.split(b" ")
    if words[1:2] == [b"standing"]:
        return role_of(pair)
    if words[1:2] == [b"lift"]:
        signed, _, mac = request.rpartition(b" ")
        proved = len(words) == 4 and hmac.compare_digest(hmac.digest(secret, signed, "sha256").hex().encode(), mac)
        host = (pairs_of(f"/etc/{pair}/{pair}.conf") or {}).get("SELF")
        return {"host": host, **cancel_fence(pair, words[2].decode())} if proved else None
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
CONF = pairs_of(f"/etc/{sys.argv[1]}/{sys.argv[1]}.conf") or sys.exit(f"pair {sys.argv[1]} is not configured on this machine")
with Server((CONF["SELF_ADDRESS"], int(CONF["PEER_PORT"])), Answer) as server:
    server.pair = sys.argv[1]
    server.serve_forever()
