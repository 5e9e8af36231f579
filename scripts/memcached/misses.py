#!/usr/bin/env python3
"""Count the gets of a cache that miss, by the counters of its nodes, during some seconds.

Usage: misses.py CACHE [SECONDS]    (default 10)

Prints a line for each node and one for all. A node that restarts meanwhile counts from its start. A node that does not
answer at the end is `gone`. Ends with 0 when a node answered, else with 75.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from node import Failed, Node  # noqa: E402
from ring import places_in, text_of_ring  # noqa: E402

COUNTED = ("get_hits", "get_misses")


def counters(places):
    """Counters by node; None for a node that does not answer."""
    by_node = {}
    for place in places:
        try:
            with Node(place) as node:
                by_node[place] = {key: int(node.stats()[key]) for key in ("pid", *COUNTED)}
        except Failed:
            by_node[place] = None
    return by_node


def between(first, last):
    """(hits, misses) of one node between two looks."""
    if not first or first["pid"] != last["pid"]:
        first = dict.fromkeys(COUNTED, 0)
    return tuple(last[key] - first[key] for key in COUNTED)


def line(name, hits, misses):
    share = 100 * misses / (hits + misses) if hits + misses else 0
    return f"{name} {hits + misses} gets, {misses} misses, {share:.2f} %"


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    places = places_in(text_of_ring(sys.argv[1]))
    first = counters(places)
    time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else 10)
    # The ring may change meanwhile: new nodes count too, and old ones count while they answer.
    last = counters(sorted({*places, *places_in(text_of_ring(sys.argv[1]))}))
    sums = [0, 0]
    for place, now in last.items():
        if now is None:
            print(f"{place} gone")
            continue
        counts = between(first.get(place), now)
        sums = [total + count for total, count in zip(sums, counts)]
        print(line(place, *counts))
    print(line("all", *sums))
    sys.exit(0 if any(last.values()) else 75)


main()
