"""Words for what keeps a shard copy where it is: by decider, with the cure. Pure."""

import re

from sizes import human, some_of

CURES = {
    "awareness": "add a node in another zone, or lower the replicas",
    "enable": 'let shards move: "cluster.routing.allocation.enable": null',
    "node_version": "upgrade the other nodes first",
    "max_retry": "POST /_cluster/reroute?retry_failed=true",
    "shards_limit": "raise the limit, or add a node",
    "same_shard": "add a node, or lower the replicas",
    "filter": "change the filter of the index, or add a node that it allows",
    "disk_threshold": "add a node, or free disk space",
    "snapshot_in_progress": "goes on when the snapshot has ended",
    "throttling": "goes on by itself",
}
# An excluded node is no place by somebody's decision: the other deciders are what can be cured.
EXCLUDED = re.compile(r"cluster setting \[cluster\.routing\.allocation\.exclude")


def by_decider(against, nodes):
    """{decider: [name of a node…]}, the excluded nodes under `excluded`."""
    found = {}
    for node in sorted(against, key=lambda one: nodes.get(one, {}).get("name", one)):
        name = nodes.get(node, {}).get("name", node)
        for decider, why in against[node]:
            word = "excluded" if decider == "filter" and EXCLUDED.search(why) else decider
            if name not in found.setdefault(word, []):
                found[word].append(name)
    return found


def main_of(found):
    """The decider to name a cure for: the first that is no exclusion."""
    order = ("enable", "filter", "same_shard", "shards_limit", "awareness", "disk_threshold", "node_version")
    for decider in (*order, *sorted(found)):
        if decider in found and decider != "excluded":
            return decider
    return "excluded" if found else ""


def on_nodes(found):
    """`same_shard on es2; filter on es3, es4`."""
    return "; ".join(f"{decider} on {some_of(names)}" for decider, names in found.items())


def cure_of(decider, against):
    """The cure for one decider, with the setting that it names, when it names one."""
    if decider == "filter":
        for found in against.values():
            for name, why in found:
                setting = re.search(r"index setting \[(index\.routing\.allocation\.[a-z]+)\.?\]? ?(?:filters \[([^\]]{1,80})\])?", why)
                if name == "filter" and setting:
                    return f"change {setting[1]} {setting[2] or ''}".rstrip() + " of the index, or add a node that it allows"
    if decider == "shards_limit":
        for found in against.values():
            for name, why in found:
                setting = re.search(r"((?:index|cluster)\.routing\.allocation\.total_shards_per_node)", why)
                if name == "shards_limit" and setting:
                    return f"raise {setting[1]}, or add a node"
    return CURES.get(decider, "ask why: POST /_cluster/allocation/explain")


def nodes_to_add(missing, largest_room):
    """How many nodes like the largest that stays take `missing` bytes."""
    return max(1, -(-missing // max(1, largest_room)))


def room_words(needed, rooms, mark, largest):
    """`needs 412 GiB; es1 has 20 GiB below its watermark of 85 %; add 2 nodes or free 392 GiB`.

    rooms: [(name, bytes below its watermark)]. largest: bytes that the largest of these nodes takes when it is empty.
    """
    missing = needed - sum(max(0, room) for _, room in rooms)
    has = ", ".join(f"{name} {human(room)}" for name, room in rooms[:4]) + (f" and {len(rooms) - 4} more" if len(rooms) > 4 else "")
    said = f"needs {human(needed)}; below the low watermark of {mark}: {has or 'no node'}"
    # Enough in all, but no node takes the largest shard.
    if missing <= 0:
        return f"{said}; add a node with more disk, or free space on one"
    count = nodes_to_add(missing, largest)
    return f"{said}; add {count} safe {'node' if count == 1 else 'nodes'}, or free {human(missing)}"
