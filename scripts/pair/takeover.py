#!/usr/bin/env python3
"""Ask for takeover.sh, in parallel: the peer for its facts, and the network for the holder of the service address.

Usage: takeover.py PAIR INTERFACE ADDRESS KEY…    (INTERFACE `none`: asks no network)

Prints `answered` and the values of the peer's KEYs, or `silent`; then `free` or
`held by …`. Announces the address as soon as it reads a line on stdin.
"""

import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from arp import Link  # noqa: E402
from ask_peer import ask, part  # noqa: E402


def ask_peer(pair, keys):
    try:
        answer = ask(pair)
    except OSError as error:
        print(f"the peer in pair {pair} does not answer: {error}", file=sys.stderr)
        return ["silent"]
    return ["answered", *(str(part(answer, key)) for key in keys)]


def main():
    if len(sys.argv) < 5:
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    pair, interface, address, *keys = sys.argv[1:]
    link = None if interface == "none" else Link(interface, address)
    verdict = ["free"]
    probing = threading.Thread(target=lambda: link and verdict.insert(0, link.probe()))
    probing.start()
    print("\n".join(ask_peer(pair, keys)), flush=True)
    probing.join()
    print(verdict[0], flush=True)
    if sys.stdin.readline() and link:
        link.announce()


try:
    main()
except BrokenPipeError:
    os._exit(1)  # takeover.sh has ended, with a message of its own
