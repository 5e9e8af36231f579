#!/usr/bin/env python3
"""Print how many shard copies are on this host's node, or move to it. Read-only.

Usage: shards_here.py CLUSTER
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import shards  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load  # noqa: E402


def count(cluster):
    """@raise NoAnswer, Denied"""
    state = cluster.ask(shards.STATE)
    node = shards.named(state, cluster.own)
    copies = [copy for _, group in shards.shards_of(state) for copy in group]
    return sum(1 for copy in copies if node is not None and node in (copy.get("node"), copy.get("relocating_node")))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] == "--help":
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    try:
        print(count(Cluster(load(sys.argv[1]))))
    except (NoAnswer, Denied) as problem:
        end(75, f"{sys.argv[1]} gives no answer: {problem}")
