#!/usr/bin/env python3
"""Whether nodes answer this machine as clients use them: their version, and a value set and got.

Usage: reach.py HOST:PORT…

Ends with 0 when all do; else with 1 and a line on stderr for each that does not.
"""

import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from node import Failed, Node  # noqa: E402


def why_not(place):
    """What is wrong with a node; None when it answers."""
    key, value = f"changeover:reach:{socket.gethostname()}", os.urandom(8).hex()
    try:
        with Node(place) as node:
            node.version()
            node.set(key, value, 60)
            return None if node.get(key) == value else f"{place} gave back another value than was set"
    except Failed as error:
        return str(error)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    wrong = [why for why in map(why_not, sys.argv[1:]) if why]
    print(*wrong, sep="\n", end="\n" if wrong else "", file=sys.stderr)
    sys.exit(1 if wrong else 0)
