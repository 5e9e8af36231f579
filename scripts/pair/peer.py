#!/usr/bin/env python3
"""Answer the peer, the other machine of a pair, with this machine's facts.

Usage: peer.py PAIR    (a service; reads /etc/PAIR/PAIR.conf and /etc/PAIR/secret)

Answers only the peer's address, and only a request that is signed with the pair's secret
(peer_words.py). Nothing is done before that is checked. `standing` asks for the facts that
need no answer of the server. Read-only, with one exception: after `lift ID` this machine
serves again if cancel-fence.sh agrees.
"""

import collections
import hmac
import json
import os
import socketserver
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from ask_peer import LIFT_LIMIT_S as PEER_WAITS_S  # noqa: E402
from facts import facts  # noqa: E402
from files import pairs_of  # noqa: E402
from peer_words import NAME, mac, secret_of, secrets_of  # noqa: E402
from role import role_of  # noqa: E402

# The answer must arrive while the peer still waits for it.
LIMIT_S, LIFT_LIMIT_S = 3, PEER_WAITS_S - 10
AT_ONCE, REMEMBERED, REQUEST_BYTES = 8, 4096, 400
HERE = os.path.dirname(os.path.abspath(__file__))
# One question to the server at a time.
ASKING = threading.Lock()


def cancel_fence(pair, transition):
    """Run cancel-fence.sh; its exit code and its last line."""
    words = ["bash", f"{HERE}/cancel-fence.sh", pair, transition]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=LIFT_LIMIT_S, check=False, stdin=subprocess.DEVNULL)
        said, code = done.stdout or done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        said, code = f"cancel-fence.sh: not done after {LIFT_LIMIT_S} s", 75
    return {"code": code, "said": said.strip().rsplit("\n", 1)[-1][:400]}


def answer_to(words, pair):
    """What this machine says to the words of a request; None: nothing."""
    if words == [b"standing"]:
        return role_of(pair)
    if len(words) == 2 and words[0] == b"lift" and NAME.match(words[1].decode("ascii", "replace")):
        host = (pairs_of(f"/etc/{pair}/{pair}.conf") or {}).get("SELF")
        return {"host": host, **cancel_fence(pair, words[1].decode())}
    if words or not ASKING.acquire(timeout=LIMIT_S):
        return None
    try:
        return facts(pair)
    finally:
        ASKING.release()


class Answer(socketserver.StreamRequestHandler):
    timeout = LIMIT_S

    def handle(self):
        request = self.rfile.readline(REQUEST_BYTES).strip()
        secrets = secrets_of(self.server.pair)
        secret, words = secret_of(request, secrets), request.split()
        if secret and len(words) >= 3 and words[0] == b"2":
            if self.server.is_new(words[1]):
                self.server.signs = True
                said = answer_to(words[2:-1], self.server.pair)
                self.reply(said, lambda body: mac(secret, b"answer", request, body))
        elif len(words) == 2 and words[1] == b"standing" and secrets and not self.server.signs:
            # An older release on the peer has to hear that this machine was made production. Until it signs, it hears that only.
            said = role_of(self.server.pair)
            self.reply(said, lambda body: hmac.digest(secrets[-1], request + body, "sha256").hex().encode())

    def reply(self, said, signature):
        if said is not None:
            body = json.dumps(said).encode()
            self.wfile.write(body + b"\n" + signature(body) + b"\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, pair, conf):
        self.pair, self.peer, self.signs = pair, conf["PEER_ADDRESS"], False
        self.free, self.nonces = threading.BoundedSemaphore(AT_ONCE), collections.OrderedDict()
        super().__init__((conf["SELF_ADDRESS"], int(conf["PEER_PORT"])), Answer)

    def verify_request(self, request, client_address):
        return client_address[0] == self.peer and self.free.acquire(blocking=False)

    def process_request(self, request, client_address):
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.free.release()
            raise

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()

    def is_new(self, nonce):
        """Whether a nonce comes for the first time: a request that somebody recorded is not answered again."""
        if nonce in self.nonces:
            return False
        self.nonces[nonce] = True
        while len(self.nonces) > REMEMBERED:
            self.nonces.popitem(last=False)
        return True

    def handle_error(self, request, client_address):
        print(f"{client_address[0]}: {sys.exc_info()[1]}", file=sys.stderr)


if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
    print(__doc__)
    sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
CONF = pairs_of(f"/etc/{sys.argv[1]}/{sys.argv[1]}.conf") or sys.exit(f"pair {sys.argv[1]} is not configured on this machine")
with Server(sys.argv[1], CONF) as server:
    server.serve_forever()
