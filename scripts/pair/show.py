#!/usr/bin/env python3
"""Say in words what both machines of a pair are now. Read-only.

Usage: show.py PAIR [epoch]    (epoch: only the highest one that is known)
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from ask import ask  # noqa: E402
from facts import facts  # noqa: E402


def other(pair):
    try:
        return ask(pair)
    except (OSError, ValueError, KeyError) as error:
        print(f"the other machine gives no answer: {error}", file=sys.stderr)
        return None


def words(of):
    writes = {True: "is read-only", False: "accepts writes", None: f"is {of['postgres']}"}[of["in_recovery"]]
    yield f"{of['host']}: status {of['status'] or 'none'}, PostgreSQL {writes}"
    yield "holds the service address" if of["holds_address"] else "does not hold the service address"
    if of["streaming"]:
        yield f"streams from {of['streaming']['from']}"
    if of["down"]:
        yield f"down: {of['down']}"
    yield f"epoch {of['epoch']}"


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    known = [machine for machine in (facts(sys.argv[1]), other(sys.argv[1])) if machine]
    if sys.argv[2:] == ["epoch"]:
        print(max(machine["epoch"] for machine in known))
    else:
        print("\n".join(", ".join(words(machine)) for machine in known))


main()
