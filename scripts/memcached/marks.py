#!/usr/bin/env python3
"""Leave the hash of this machine's ring on every node of it, or look whether other clients have left the same.

Usage: marks.py CACHE leave [--without=HOST:PORT,…]
       marks.py CACHE compare CLIENT… [--without=HOST:PORT,…]

Nodes that are known to be dead are left out. Ends with 0 when it is so; else with 1 and a line on stderr for each thing that differs.
"""

import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from node import Failed, Node  # noqa: E402
from ring import digest, places_in, text_of_ring  # noqa: E402


def key_of(cache, client):
    return f"changeover:{cache}:ring:{client}"


def leave(cache, text, places):
    for place in places:
        with Node(place) as node:
            node.set(key_of(cache, socket.gethostname()), digest(text))


def compare(cache, text, places, clients):
    """What differs, a line each."""
    mine, wrong = digest(text), []
    for place in places:
        with Node(place) as node:
            for client in clients:
                theirs = node.get(key_of(cache, client))
                if theirs is None:
                    wrong.append(f"{client} has set nothing on {place} that {socket.gethostname()} can get")
                elif theirs != mine:
                    wrong.append(f"{client} has ring {theirs[:12]}, {socket.gethostname()} has {mine[:12]} (seen on {place})")
    return wrong


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in ("leave", "compare"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    cache, text = sys.argv[1], text_of_ring(sys.argv[1])
    if text is None:
        sys.exit(f"{socket.gethostname()} has no ring of {cache}")
    lost = [place for word in sys.argv if word.startswith("--without=") for place in word[10:].split(",")]
    clients = [word for word in sys.argv[3:] if not word.startswith("--")]
    places = [place for place in places_in(text) if place not in lost]
    try:
        wrong = leave(cache, text, places) if sys.argv[2] == "leave" else compare(cache, text, places, clients)
    except Failed as error:
        sys.exit(str(error))
    if wrong:
        sys.exit("\n".join(wrong))


main()
