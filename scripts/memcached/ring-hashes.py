#!/usr/bin/env python3
"""Publish the hash of this host's ring on every node of the ring, or compare it with the hashes of other clients.

Usage: ring-hashes.py CACHE publish [--without=HOST:PORT,…]
       ring-hashes.py CACHE compare CLIENT… [--without=HOST:PORT,…]

Lost nodes are left out with --without. Ends with 0, or with 1 and a line on stderr for each difference.
"""

import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from node import Failed, Node  # noqa: E402
from ring import digest, places_in, short, text_of_ring  # noqa: E402


def key_of(cache, client):
    return f"changeover:{cache}:ring:{client}"


def publish(cache, text, places):
    for place in places:
        with Node(place) as node:
            node.set(key_of(cache, socket.gethostname()), digest(text))


def compare(cache, text, places, clients):
    """What differs, a line each."""
    here, mine, wrong = socket.gethostname(), digest(text), []
    for place in places:
        with Node(place) as node:
            for client in clients:
                theirs = node.get(key_of(cache, client))
                if theirs is None:
                    wrong.append(f"{here} reads no hash of {client} on {place}")
                elif theirs != mine:
                    wrong.append(f"{client} has ring {short(theirs)} on {place}, {here} has {short(mine)}")
    return wrong


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in ("publish", "compare"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    cache, text = sys.argv[1], text_of_ring(sys.argv[1])
    if text is None:
        sys.exit(f"{socket.gethostname()} has no ring of {cache}")
    lost = [place for word in sys.argv if word.startswith("--without=") for place in word[10:].split(",")]
    clients = [word for word in sys.argv[3:] if not word.startswith("--")]
    places = [place for place in places_in(text) if place not in lost]
    try:
        wrong = publish(cache, text, places) if sys.argv[2] == "publish" else compare(cache, text, places, clients)
    except Failed as error:
        sys.exit(str(error))
    if wrong:
        sys.exit("\n".join(wrong))


main()
