#!/usr/bin/env python3
"""Ask the peer, the other machine of a pair, for its facts, and print its answer.

Usage: ask_peer.py PAIR [KEY…]    (keys of the answer, or of its parts: fence.position)
       ask_peer.py PAIR lift ID   (the peer serves again: this machine has given up transition ID)

Without keys it prints the whole answer as JSON, with keys a line for each. Ends with 75
when the peer does not answer, or its answer is not signed with the pair's secret.
"""

import hmac
import json
import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from files import pairs_of, text_of  # noqa: E402

LIMIT_S = 4
LIFT_LIMIT_S = 90


def ask(pair, what="", limit=LIMIT_S):
    """The answer of the peer. @raise OSError without an answer, or when the answer is not the peer's."""
    conf = pairs_of(f"/etc/{pair}/{pair}.conf") or sys.exit(f"pair {pair} is not configured on this machine")
    request = f"{os.urandom(16).hex()} {what}".strip().encode()
    secret = (text_of(f"/etc/{pair}/secret") or "").encode()
    if what.startswith("lift "):
        request += b" " + hmac.digest(secret, request, "sha256").hex().encode()
    with socket.create_connection((conf["PEER_ADDRESS"], int(conf["PEER_PORT"])), limit) as peer:
        peer.sendall(request + b"\n")
        with peer.makefile("rb") as stream:
            body, signature = stream.readline().rstrip(b"\n"), stream.readline().strip().decode()
    if not hmac.compare_digest(hmac.digest(secret, request + body, "sha256").hex(), signature):
        raise OSError("the answer is not signed with the pair's secret")
    answer = json.loads(body)
    if answer["host"] != conf["PEER"]:
        raise OSError(f"{conf['PEER_ADDRESS']} is {answer['host']}, not {conf['PEER']}")
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
