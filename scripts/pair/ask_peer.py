#!/usr/bin/env python3
"""Ask the peer, the other machine of a pair, for its facts, and print its answer.

Usage: ask_peer.py PAIR [KEY…]    (keys of the answer, or of its parts: fence.position)
       ask_peer.py PAIR lift ID   (the peer serves again: this machine has given up transition ID)

Without keys it prints the whole answer as JSON, with keys a line for each. Ends with 75
when the peer does not answer, its answer is not signed with the pair's secret, or a value
in it is not what it may be.
"""

import contextlib
import hmac
import json
import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from files import pairs_of  # noqa: E402
from peer_words import before_of, checked, mac, secrets_of, signed  # noqa: E402

LIMIT_S = 4
LIFT_LIMIT_S = 90
ANSWER_BYTES = 1_000_000
STANDING = {"serving", "serving_id", "epoch", "down", "standby_signal", "runs", "holds_address"}
NEEDED = {"": {"served", "epoch", "postgres", "standby_signal"}, "standing": STANDING}


class Unsigned(OSError):
    """The answer is signed with no secret that this machine has."""


def exchange(conf, request, limit):
    """(the line of JSON, the line with its MAC). @raise OSError"""
    place, own = (conf["PEER_ADDRESS"], int(conf["PEER_PORT"])), (conf["SELF_ADDRESS"], 0)
    with socket.create_connection(place, limit, source_address=own) as peer:
        peer.sendall(request + b"\n")
        with peer.makefile("rb") as stream:
            return stream.readline(ANSWER_BYTES).rstrip(b"\n"), stream.readline(100).strip()


def as_older_release(conf, secret, words, limit):
    """Ask a peer that does not sign requests. @raise OSError"""
    request = b" ".join([os.urandom(16).hex().encode(), *words])
    if words[:1] == [b"lift"]:
        request += b" " + hmac.digest(secret, request, "sha256").hex().encode()
    body, said = exchange(conf, request, limit)
    if not hmac.compare_digest(hmac.digest(secret, request + body, "sha256").hex().encode(), said):
        raise Unsigned("the answer is not signed with the pair's secret")
    return body


def body_of(pair, conf, words, limit):
    """The JSON of the peer, which is proved to be its answer to this request. @raise OSError"""
    secrets = secrets_of(pair)
    for secret in secrets:
        request = signed(secret, words)
        body, said = exchange(conf, request, limit)
        if body and hmac.compare_digest(mac(secret, b"answer", request, body), said):
            if secret == secrets[0] and os.path.exists(before_of(pair)):
                with contextlib.suppress(OSError):
                    os.unlink(before_of(pair))  # The peer has this machine's secret, so nobody needs those before.
            return body
        if body and hmac.compare_digest(hmac.digest(secret, request + body, "sha256").hex().encode(), said):
            return as_older_release(conf, secret, words, limit)
    raise Unsigned("the answer is not signed with the pair's secret")


def ask(pair, what="", limit=LIMIT_S):
    """The answer of the peer, of which every value is what it may be.

    @raise OSError without an answer, or when the answer is not the peer's; ValueError when a value is not what it may be
    """
    conf = pairs_of(f"/etc/{pair}/{pair}.conf") or sys.exit(f"pair {pair} is not configured on this machine")
    try:
        answer = checked(json.loads(body_of(pair, conf, what.encode().split(), limit)))
    except RecursionError as error:
        raise ValueError("the answer is nested too deep") from error
    if answer.get("host") != conf["PEER"]:
        raise OSError(f"{conf['PEER_ADDRESS']} is {answer.get('host')}, not {conf['PEER']}")
    if missing := NEEDED.get(what, set()) - answer.keys():
        raise OSError(f"{conf['PEER']} does not say {', '.join(sorted(missing))}")
    return answer


def part(answer, key):
    """The value of a key such as fence.position; empty without one."""
    for name in key.split("."):
        answer = (answer or {}).get(name)
    return "" if answer is None else str(answer).lower() if isinstance(answer, bool) else answer


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    lifts = len(sys.argv) == 4 and sys.argv[2] == "lift"
    try:
        answer = ask(sys.argv[1], f"lift {sys.argv[3]}", LIFT_LIMIT_S) if lifts else ask(sys.argv[1])
    except (OSError, ValueError, KeyError) as error:
        print(f"the peer in pair {sys.argv[1]} does not answer: {error}", file=sys.stderr)
        sys.exit(75)
    if lifts:
        print(answer["said"])
        sys.exit(answer["code"])
    print("\n".join(str(part(answer, key)) for key in sys.argv[2:]) or json.dumps(answer))


if __name__ == "__main__":
    main()
