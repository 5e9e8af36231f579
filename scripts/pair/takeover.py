#!/usr/bin/env python3
"""What takeover.sh asks others, side by side: the peer, and whoever may hold the address.

Usage: takeover.py PAIR INTERFACE ADDRESS KEY…    (INTERFACE `none`: no address is asked for)

Prints `answered` and the values of the peer's KEYs, or `silent`; then `free` or
`held by …`. Announces the address at once when a line comes on stdin.
"""

import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from arp import Link  # noqa: E402
from ask import ask, part  # noqa: E402


def ask_peer(pair, keys):
    try:
        answer = ask(pair)
    except OSError as error:
        print(f"the other machine of {pair} gave no answer: {error}", file=sys.stderr)
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
    os._exit(1)  # who asked has ended, and said why
