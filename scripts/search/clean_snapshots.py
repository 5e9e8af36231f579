#!/usr/bin/env python3
"""Delete old snapshots of this program in a search cluster's repository. The Python half of clean-snapshots.sh.

Usage: clean_snapshots.py CLUSTER KEEP

The newest KEEP good ones stay, and what is newer than the newest good one. So do those of a cluster that was formed before
this one: after a loss they are the data, and the first snapshots of a new cluster have nothing in them. Prints a line of prose, then key=value a line.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import keeper  # noqa: E402
import snapshots  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load, narrate  # noqa: E402
from take_snapshot import record_of  # noqa: E402


def surplus(found, keep):
    """Names to delete of our snapshots, the newest first: good ones beyond `keep`, and bad ones that a good one came after. Pure."""
    seen, names = 0, []
    for one in found:
        if one["state"] == "SUCCESS":
            seen += 1
        if seen > keep or (seen and one["state"] in ("PARTIAL", "FAILED")):
            names.append(one["snapshot"])
    return names


def clean(cluster, keep):
    uuid = cluster.ask("/")["cluster_uuid"]
    every = snapshots.own(cluster)
    found = [one for one in every if one["metadata"].get("cluster") == uuid]
    names = surplus(found, keep)
    for name in names:
        keeper.require_claim()
        narrate(f"deleting snapshot {name} (keep: {keep})")
        try:
            cluster.ask(f"{snapshots.PATH}/{name}", method="DELETE", seconds=600)
        except Denied as error:
            if error.status != 404:
                raise
        try:
            os.remove(record_of(cluster, name))
        except OSError:
            pass
    left, older = len(found) - len(names), len(every) - len(found)
    more = f"; {older} of an earlier cluster of this name stay, delete them by hand" if older else ""
    prose = f"{cluster.name} keeps {left} snapshots of this program (limit: {keep} good ones), {len(names)} deleted{more}"
    return prose, {"kept": left, "deleted": len(names), "earlier": older}


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    if len(words) != 2 or not words[1].isdigit() or int(words[1]) < 1:
        end(64, f"clean_snapshots.py takes CLUSTER KEEP (1 or more), got: {' '.join(words)}")
    keeper.end_with_parent()
    cluster = Cluster(load(words[0]))
    snapshots.location_of(cluster)
    try:
        prose, pairs = clean(cluster, int(words[1]))
    except NoAnswer as error:
        end(75, f"{cluster.name} gives no answer: {error}")
    except Denied as error:
        end(77, f"{cluster.name} refuses: {error}")
    print(prose)
    for key, value in pairs.items():
        print(f"{key}={value}")


if __name__ == "__main__":
    main(sys.argv[1:])
