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
import room  # noqa: E402
import settings  # noqa: E402
import shards  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load, narrate  # noqa: E402
from waiting import NUDGE, SNAPSHOT_S, backup, limits, until  # noqa: E402


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


def require_room(cluster, state):
    """Ends with 77 before anything is written, when the nodes that stay can't take the copies. @raise NoAnswer, Denied"""
    names = sorted(state["nodes"][node]["name"] for node in spot_ids(state, cluster.facts))
    judged = room.ask(cluster, names)
    if not judged["feasible"]:
        end(77, f"{room.refusal(names, judged)}; or set clearSpot: false, then copies there count")


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
        require_room(cluster, state)
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
