#!/usr/bin/env python3
"""Say whether nodes of a search cluster can be emptied, before anything is written.

Usage: room.py CLUSTER NODE…

For each shard copy on the nodes: who may take it by the allocator's own deciders, copies against nodes, bytes against the low
watermark, and a copy outside the spot zones at the end. Nodes that leave as well by the configuration count as leaving.
Ends with 0 when they can be emptied, with 77 and what blocks it when not.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import allocation  # noqa: E402
import cures  # noqa: E402
import packing  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load  # noqa: E402
from sizes import human, reserve_of, some_of  # noqa: E402


def leaving_of(facts, nodes, names):
    """Ids of nodes that leave: the named ones, and those that are not `in` by the configuration."""
    gone = {*names, *(name for name, said in facts["nodes"].items() if said["is"] != "in")}
    return {node for node, said in nodes.items() if said["name"] in gone}


def shared_address(nodes, name):
    """Names of other nodes at the address of a node: `exclude._ip` would empty them too."""
    own = allocation.named(nodes, name)
    return sorted(said["name"] for node, said in nodes.items() if node != own and own and said["ip"] == nodes[own]["ip"])


def largest_of(floor, disks):
    whole = [packing.room_below({**disks[node], "free": disks[node]["total"]}, floor.settings) for node in floor.targets if node in disks]
    return max(whole, default=0)


def place_words(copies, against, seen, floor):
    """Why copies with the same deciders against them have no place, and the cure."""
    found = cures.by_decider(against, seen["nodes"])
    shards = some_of(sorted({allocation.label(copy) for copy in copies}))
    if not floor.targets:
        return f"{shards}: no other data node is left; add a node"
    decider = cures.main_of(found)
    fact = f"{shards}: {cures.on_nodes(found)}"
    if decider == "same_shard":
        count = max(sum(allocation.label(one) == allocation.label(copy) for one in seen["copies"]) for copy in copies)
        left = sum(1 for node in floor.targets if not any(name == "filter" for name, _ in against.get(node, [])))
        if count > left:
            more = count - left
            return f"{fact}; {count} copies, {left} nodes left: add {more} {'node' if more == 1 else 'nodes'}, or lower the replicas"
    return f"{fact}; {cures.cure_of(decider, against)}"


def words_of(blocked, seen, floor, leaving):
    """The blockers as sentences, those with the same cause together."""
    groups, disk, words = {}, [], []
    for copy, against, kind in blocked:
        names = {node: {name for name, _ in found} for node, found in against.items()}
        if kind == "place" and any(found == {"disk_threshold"} for found in names.values()):
            disk.append(copy)
        else:
            cause = (kind, str(sorted(cures.by_decider(against, seen["nodes"]).items())))
            groups.setdefault(cause, ([], against))[0].append(copy)
    if disk:
        needed = sum(copy["bytes"] for copy in seen["copies"] if copy["node"] in leaving and not copy["to"])
        before = packing.Floor(seen, leaving, (), "")
        rooms = sorted((seen["nodes"][node]["name"], max(0, before.room[node])) for node in before.targets)
        mark = floor.settings.get(packing.LOW, "85%")
        words.append(cures.room_words(needed, rooms, mark, largest_of(floor, seen["disks"])))
    for (kind, _), (copies, against) in groups.items():
        if kind == "place":
            words.append(place_words(copies, against, seen, floor))
            continue
        shards = some_of(sorted({allocation.label(copy) for copy in copies}))
        index = copies[0]["index"]
        cure = f"add a safe node or a replica, or accept it: accept.{index}: <reason>"
        if kind == "spot":
            words.append(f"{shards}: every copy would be in the spot zone; {cure}")
        else:
            where = ", ".join(sorted(seen["nodes"][node]["name"] for node in against))
            words.append(f"{shards}: {where} (spot) may get every copy; {cure}")
    return words


def judge(facts, names, seen, explained):
    """Whether the nodes can be emptied. Pure.

    Returns feasible, lift_awareness (no copy has a place while awareness is in force, all have without), bytes and copies on
    the named nodes, and blockers as sentences with their cure.
    """
    nodes = seen["nodes"]
    own = {node for node, said in nodes.items() if said["name"] in names}
    leaving = leaving_of(facts, nodes, names)
    on = [copy for copy in seen["copies"] if copy["node"] in own]
    words = [
        f"{name} shares {nodes[allocation.named(nodes, name)]['ip']} with {', '.join(others)}; give each node an address of its own"
        for name in names
        if (others := shared_address(nodes, name))
    ]
    goal = (seen, leaving, explained, facts["spot_zones"], facts["attribute"], facts["accept"])
    blocked, floor = packing.pack(*goal, True)
    lift = False
    if blocked and floor.spread:
        lifted, without = packing.pack(*goal, False)
        lift = not lifted
        # What awareness alone does not explain is said without it. Without awareness the risk in the spot zone only grows.
        if any(kind == "place" for _, _, kind in blocked) or not lifted:
            blocked, floor = lifted, without
    words += words_of(blocked, seen, floor, leaving)
    return {
        "feasible": not words,
        "lift_awareness": lift and not words,
        "bytes": sum(copy["bytes"] for copy in on),
        "copies": len(on),
        "blockers": words,
    }


def watermark_problem(seen):
    """A low watermark that is neither share nor size; empty when it is one."""
    mark = seen["settings"].get(packing.LOW, "85%")
    try:
        reserve_of(mark, 1 << 40)
    except ValueError:
        return f'{packing.LOW} is "{mark}"; allowed: a share as 85% or a size as 20gb'
    return ""


def ask(cluster, names, seen=None):
    """The judgement of the cluster as it is now. @raise NoAnswer, Denied."""
    seen = seen or allocation.view(cluster)
    if problem := watermark_problem(seen):
        return {"feasible": False, "lift_awareness": False, "bytes": 0, "copies": 0, "blockers": [problem]}
    leaving = leaving_of(cluster.facts, seen["nodes"], names)
    # A copy that moves or starts has no explanation; it is judged by numbers alone.
    asked = [copy for copy in seen["copies"] if copy["node"] in leaving and copy["state"] == "STARTED"]
    said = allocation.explain(cluster, asked)
    explained = {allocation.key_of(copy): allocation.deciders_of(one) for copy, one in zip(asked, said)}
    return judge(cluster.facts, names, seen, explained)


def refusal(names, judged):
    return f"{', '.join(names)} can't be emptied: {'. '.join(judged['blockers'][:4])}"


def main():
    if len(sys.argv) < 3 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    facts = load(sys.argv[1])
    names = sys.argv[2:]
    for name in names:
        if name not in facts["nodes"]:
            end(64, f'"{name}" is no node of {facts["cluster"]}; its nodes: {", ".join(sorted(facts["nodes"]))}')
    try:
        judged = ask(Cluster(facts), names)
    except (NoAnswer, Denied) as error:
        end(75, f"{facts['cluster']} does not say what is on {', '.join(names)}: {error}")
    if not judged["feasible"]:
        end(77, refusal(names, judged))
    lifted = ", with awareness lifted" if judged["lift_awareness"] else ""
    print(f"{', '.join(names)} can be emptied: {judged['copies']} shard copies, {human(judged['bytes'])}{lifted}")
    print(f"copies={judged['copies']}\nbytes={judged['bytes']}\nlift_awareness={'yes' if judged['lift_awareness'] else 'no'}")


if __name__ == "__main__":
    main()
