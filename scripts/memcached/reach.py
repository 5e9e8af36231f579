#!/usr/bin/env python3
"""Check that nodes answer this host as clients use them: version, and a value set and read.

Usage: reach.py HOST:PORT…

Ends with 0 when all nodes answer, else with 1 and a line on stderr for each node that does not.
"""

import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from node import Failed, Node  # noqa: E402


def why_not(place):
    """Why a node fails; None when it answers."""
    key, value = f"changeover:reach:{socket.gethostname()}", os.urandom(8).hex()
    try:
        with Node(place) as node:
            node.version()
            node.set(key, value, 60)
            return None if node.get(key) == value else f"{place} returned another value than the one set"
    except Failed as error:
        return str(error)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    wrong = [why for why in map(why_not, sys.argv[1:]) if why]
    print(*wrong, sep="\n", end="\n" if wrong else "", file=sys.stderr)
    sys.exit(1 if wrong else 0)
