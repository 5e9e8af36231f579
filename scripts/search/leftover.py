"""What is left of a drain: copies on the node, copies that the cluster must still build, and what keeps them. Pure, from answers."""

import allocation
import cures
from sizes import some_of

# New indexes come and go beside a drain; their copies were never on the node.
NEW = "INDEX_CREATED"
WAITING = ("yes", "throttled", "awaiting_info", "allocation_delayed", "no_attempt")
# The allocator's words for why a node has to wait, not for ever.
SNAPSHOT = "snapshot_in_progress"


def on_node(seen, node):
    """Copies that are on a node or on their way to it."""
    return [copy for copy in seen["copies"] if node is not None and node in (copy["node"], copy["to"])]


def unbuilt(seen):
    """Copies without a node, and copies that start on one, of shards that had them before."""
    return [
        copy
        for copy in seen["copies"]
        if copy["why"] != NEW and (copy["state"] == "UNASSIGNED" or (copy["state"] == "INITIALIZING" and not copy["to"]))
    ]


def only_in_spot(seen, facts):
    """Shards with every copy in a spot zone, but those that the configuration accepts."""
    spot = {node for node, said in seen["nodes"].items() if said["attributes"].get(facts["attribute"]) in facts["spot_zones"]}
    shards = {}
    for copy in seen["copies"]:
        if copy["node"] and copy["index"] not in facts["accept"]:
            shards.setdefault(allocation.label(copy), []).append(copy["to"] or copy["node"])
    return sorted(shard for shard, places in shards.items() if all(place in spot for place in places))


def recovered_of(recoveries, node):
    """Bytes that active relocations have taken from a node so far."""
    return sum(
        max(0, one.get("index", {}).get("size", {}).get("recovered_in_bytes", 0))
        for index in recoveries.values()
        for one in index.get("shards", [])
        if one.get("type") == "PEER" and one.get("source", {}).get("id") == node
    )


def kind_of(explanation):
    """How a copy stands: `moves` by itself, `waits` for something that ends, `stays` by its node's right, or is `stuck`."""
    if explanation is None:
        return "moves"
    if explanation.get("can_remain_on_current_node") == "yes":
        return "stays"
    against = allocation.deciders_of(explanation)
    free = [node for node, found in against.items() if not any(kind == "NO" for _, kind, _ in found)]
    listed = explanation.get("node_allocation_decisions")
    if not listed:
        return "waits"
    if not free:
        return "stuck"
    return "waits" if all(against[node] for node in free) else "moves"


def waits_for_word(against):
    """Deciders that say THROTTLE on nodes that nothing else forbids."""
    found = {}
    for node, said in against.items():
        if not any(kind == "NO" for _, kind, _ in said):
            for name, kind, _ in said:
                if kind == "THROTTLE":
                    found.setdefault(name, set()).add(node)
    return found


def sentence(kind, copies, explanation, seen):
    shards = some_of(sorted({allocation.label(copy) for copy in copies}))
    against = allocation.deciders_of(explanation)
    if kind == "stays":
        return f"{shards}: the exclusion does not reach the node; look at GET /_cluster/settings"
    if kind == "waits":
        waiting = waits_for_word(against)
        if SNAPSHOT in waiting:
            running = some_of(seen["snapshots"]) or "a snapshot"
            return f"{shards}: snapshot {running} is running ({SNAPSHOT}); {cures.CURES[SNAPSHOT]}"
        return f"{shards}: {', '.join(sorted(waiting)) or 'the allocator asks its nodes'}; goes on by itself"
    forbidden = {node: [(name, why) for name, kind_, why in said if kind_ == "NO"] for node, said in against.items()}
    found = cures.by_decider(forbidden, seen["nodes"])
    return f"{shards}: {cures.on_nodes(found)}; {cures.cure_of(cures.main_of(found), forbidden)}"


def reasons(explained, seen):
    """Sentences for copies that do not move, the same ones together; stuck ones first.

    explained: [(copy, explanation)]. Returns (sentences, whether nothing but a person moves one of them).
    """
    groups = {}
    for copy, explanation in explained:
        kind = kind_of(explanation)
        if kind != "moves":
            text = sentence(kind, [copy], explanation, seen).split(": ", 1)[1]
            groups.setdefault((("stuck", "stays", "waits").index(kind), text), []).append(copy)
    words = []
    for (_, text), copies in sorted(groups.items(), key=lambda one: one[0]):
        words.append(f"{some_of(sorted({allocation.label(copy) for copy in copies}))}: {text}")
    return words, any(rank < 2 for rank, _ in groups)


def is_wanted(copy, explanation):
    """Whether an unbuilt copy can be placed, so that the drain waits for it."""
    if copy["state"] == "INITIALIZING" or copy["delayed"] or explanation is None:
        return True
    return explanation.get("can_allocate") in WAITING
