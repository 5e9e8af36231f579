#!/usr/bin/env python3
"""Whether nobody writes to a search cluster. The Python half of check-still.sh.

Usage: check_still.py CLUSTER

Counted are operations on primaries, of indexes whose name does not begin with a dot: those are the engine's own.
Prints a line of prose, then key=value a line. Ends with 0, 64, 75 or 77.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import keeper  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load, narrate  # noqa: E402

STILL_S, LIMIT_S = 3, 20
PATH = "/_stats/indexing?expand_wildcards=all&filter_path=indices.*.primaries.indexing.index_total,indices.*.primaries.indexing.delete_total"


def totals(cluster):
    """Operations so far, by index. A node that restarts begins to count anew, so less is no write."""
    said = cluster.ask(PATH).get("indices", {})
    return {name: sum(about["primaries"]["indexing"].values()) for name, about in said.items() if not name.startswith(".")}


def grown(before, after):
    """Index -> how many operations more."""
    return {name: count - before.get(name, 0) for name, count in sorted(after.items()) if count > before.get(name, 0)}


def check(cluster):
    start = time.monotonic()
    before, since = totals(cluster), start
    while True:
        time.sleep(0.5)
        after, now = totals(cluster), time.monotonic()
        more = grown(before, after)
        if not more and now - since >= STILL_S:
            return len(after)
        if more and now - start > LIMIT_S:
            rate = ", ".join(f"{name} ({count / max(now - since, 0.1):.0f} a second)" for name, count in list(more.items())[:5])
            end(77, f"somebody else writes to {cluster.name}: {rate}; find the program, and name its unit in writers")
        if more:
            narrate(f"{', '.join(more)} still grows")
            before, since = after, now


def main(words):
    if words == ["--help"]:
        print(__doc__)
        return
    if len(words) != 1:
        end(64, f"check_still.py takes CLUSTER, got: {' '.join(words)}")
    keeper.end_with_parent()
    cluster = Cluster(load(words[0]))
    try:
        count = check(cluster)
    except NoAnswer as error:
        end(75, f"the writers are stopped; whether others write is not known, since {cluster.name} gives no answer: {error}")
    except Denied as error:
        end(77, f"{cluster.name} refuses: {error}")
    print(f"nothing was written to {cluster.name} for {STILL_S} s, {count} indexes\nindexes={count}")


if __name__ == "__main__":
    main(sys.argv[1:])
