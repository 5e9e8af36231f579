#!/usr/bin/env python3
"""Move all shards out of the spot zones for a while, and let them back. The Python half of clear-spot.sh and return-spot.sh.

Usage: spot.py CLUSTER clear|return

Prints a line of prose, then key=value a line. Ends with 0, 64, 75 or 77.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import keeper  # noqa: E402
import leases  # noqa: E402
import settings  # noqa: E402
import shards  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load, narrate  # noqa: E402
from sizes import reserve_of  # noqa: E402
from waiting import NUDGE, SNAPSHOT_S, backup, limits, until  # noqa: E402

STATS = (
    "/_nodes/stats/indices,fs?filter_path=nodes.*.name,nodes.*.indices.store.size_in_bytes,"
    "nodes.*.fs.total.total_in_bytes,nodes.*.fs.total.available_in_bytes"
)
LOW = "cluster.routing.allocation.disk.watermark.low"


def floor_of(low, total):
    """Bytes that stay free on a disk of `total` bytes by a low watermark: `85%`, `0.85`, or free bytes as `10gb`."""
    try:
        return reserve_of(low or "85%", total)
    except ValueError:
        return total * 0.15


def spot_ids(state, facts):
    return {node for node in state.get("nodes", {}) if shards.is_spot(state, facts, node)}


def copies_on(state, nodes):
    """Copies on these nodes, or on their way to one."""
    return [
        (shard, copy)
        for shard, copies in shards.shards_of(state)
        for copy in copies
        if copy["state"] != "UNASSIGNED" and (copy["node"] in nodes or copy.get("relocating_node") in nodes)
    ]


def targets(state, facts):
    """Names of nodes in safe zones that may hold shards."""
    return [
        about["name"]
        for node, about in state.get("nodes", {}).items()
        if not shards.is_spot(state, facts, node)
        and "data" in facts["nodes"].get(about["name"], {}).get("roles", [])
        and facts["nodes"][about["name"]]["is"] == "in"
    ]


def too_many(state, facts, safe):
    """{copies: indexes} of shards with more copies than safe nodes. The engine itself shrinks what expands by itself."""
    found = {}
    for (index, _), copies in shards.shards_of(state):
        placed = sum(1 for copy in copies if copy["state"] != "UNASSIGNED")
        about = state.get("metadata", {}).get("indices", {}).get(index, {}).get("settings", {}).get("index", {})
        if placed > len(safe) and about.get("auto_expand_replicas", "false") == "false":
            found.setdefault(placed, set()).add(index)
    return found


def require_room(cluster, state, scopes):
    """Ends with 77 before anything is written, when the safe nodes can't take the copies. @raise NoAnswer, Denied"""
    facts = cluster.facts
    safe = targets(state, facts)
    many = too_many(state, facts, safe)
    if many:
        most = max(many)
        names = ", ".join(sorted(many[most])[:5])
        end(77, f"{names}: {most} copies a shard, and {len(safe)} safe nodes (needed: {most}); add {most - len(safe)} safe nodes, or clearSpot: false")
    nodes = cluster.ask(STATS).get("nodes", {}).values()
    spot = {state["nodes"][node]["name"] for node in spot_ids(state, facts)}
    moved = sum(node.get("indices", {}).get("store", {}).get("size_in_bytes", 0) for node in nodes if node["name"] in spot)
    low = leases.effective(scopes, LOW)[0]
    room = sum(
        max(0, node["fs"]["total"]["available_in_bytes"] - floor_of(low, node["fs"]["total"]["total_in_bytes"]))
        for node in nodes
        if node["name"] in safe and "fs" in node
    )
    if moved > room:
        end(77, f"spot zones hold {moved >> 20} MiB, and safe nodes take {int(room) >> 20} MiB below their low watermark; add a safe node or disk space")


def changes(cluster):
    """What is changed for the time: functions of the scopes, as `settings.take` takes them."""
    facts = cluster.facts
    places = [facts["nodes"][name]["address"] for name in sorted(facts["nodes"]) if facts["nodes"][name]["zone"] in facts["spot_zones"]]

    def values(scopes):
        if not places:
            return {}
        kept = leases.entries(leases.effective(scopes, leases.AWARENESS)[0])
        # Under awareness an exclusion of a whole zone never moves its copies (elastic/elasticsearch #13667).
        return {leases.AWARENESS: ",".join(one for one in kept if one != facts["attribute"])} if facts["attribute"] in kept else {}

    return values, {leases.EXCLUDE: places}


def clear(cluster):
    facts, wait = cluster.facts, limits(cluster.facts)
    until(f"no snapshot runs in {cluster.name}", SNAPSHOT_S, lambda: backup(cluster), 0.5)
    state, scopes = cluster.ask(shards.STATE), settings.read(cluster)
    first = len(copies_on(state, spot_ids(state, facts)))
    if first:
        require_room(cluster, state, scopes)
    keeper.require_claim()
    values, lists = changes(cluster)
    mark = (leases.key_of(cluster.name, leases.EXPIRED),) if leases.expired_of(scopes, cluster.name) else ()
    settings.take(cluster, keeper.SPOT, settings.who(f"clear-spot on {facts['node']}", keeper.SPOT_S), values, lists, clear=mark)
    renewer = keeper.Keeper(cluster)
    renewer.names.append(keeper.SPOT)
    nudged = [time.monotonic()]

    def left():
        if keeper.SPOT in renewer.lost:
            end(75, f"the spot zone of {cluster.name} is not cleared: somebody gave the lease back")
        now = cluster.ask(shards.STATE)
        on = copies_on(now, spot_ids(now, facts))
        if time.monotonic() - nudged[0] > 5:
            nudged[0] = time.monotonic()
            cluster.ask(NUDGE, method="POST")
        if on:
            return f"{len(on)} of {max(first, len(on))} copies are there, first {shards.words_of({shard for shard, _ in on}, 3)}"
        done, words = shards.settled(cluster)
        return "" if done else words

    try:
        until(f"no shard of {cluster.name} is in its spot zones", wait["cover"], left)
    except BaseException:
        renewer.stop()
        settings.give_back(cluster, keeper.SPOT, keeper.identity())
        raise
    renewer.stop()
    settings.renew(cluster, keeper.SPOT, keeper.identity())
    return f"no shard is in the spot zones, {first} copies moved", {"moved": first}


def back(cluster):
    words = settings.give_back(cluster, keeper.SPOT, keeper.identity())
    if words is None:
        narrate(f"the spot zones of {cluster.name} are as found already")
    said = []

    def left():
        done, found = shards.settled(cluster)
        said[:] = [found]
        return "" if done else found

    until(f"{cluster.name} is settled", limits(cluster.facts)["cover"], left)
    return f"spot zones may have shards again, {said[0]}", {"returned": "no" if words is None else "yes"}


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    if len(words) != 2 or words[1] not in ("clear", "return"):
        end(64, f"spot.py takes CLUSTER clear|return, got: {' '.join(words)}")
    keeper.end_with_parent()
    cluster = Cluster(load(words[0]))
    try:
        prose, pairs = (clear if words[1] == "clear" else back)(cluster)
    except NoAnswer as error:
        end(75, f"{cluster.name} gives no answer: {error}")
    except Denied as error:
        end(77, f"{cluster.name} refuses: {error}")
    print(prose)
    for key, value in pairs.items():
        print(f"{key}={value}")


if __name__ == "__main__":
    main(sys.argv[1:])
