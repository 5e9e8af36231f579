#!/usr/bin/env python3
"""Print the state of both machines of a pair, a line for each. Read-only.

Usage: show_pair.py PAIR [epoch]    (epoch: print only the highest known epoch)
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from ask_peer import ask  # noqa: E402
from facts import facts  # noqa: E402


def facts_of_peer(pair):
    try:
        return ask(pair)
    except (OSError, ValueError, KeyError) as error:
        print(f"the peer does not answer: {error}", file=sys.stderr)
        return None


def description(machine):
    writes = {True: "is read-only", False: "accepts writes", None: f"is {machine['postgres']}"}[machine["in_recovery"]]
    yield f"{machine['host']}: status {machine['status'] or 'none'}, PostgreSQL {writes}"
    yield "holds the service address" if machine["holds_address"] else "does not hold the service address"
    if machine["streaming"]:
        yield f"streams from {machine['streaming']['from']}"
    if machine["down"]:
        yield f"down: {machine['down']}"
    yield f"epoch {machine['epoch']}"


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    machines = [machine for machine in (facts(sys.argv[1]), facts_of_peer(sys.argv[1])) if machine]
    if sys.argv[2:] == ["epoch"]:
        print(max(machine["epoch"] for machine in machines))
    else:
        print("\n".join(", ".join(description(machine)) for machine in machines))


main()
