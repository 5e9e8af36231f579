#!/usr/bin/env python3
"""Take the vote of a manager of a search cluster away, or give votes back.

Usage: votes.py CLUSTER check NODE     can the cluster elect a manager without NODE? changes nothing
       votes.py CLUSTER leave NODE     take NODE's vote and wait until another manager is elected, at most 60 s
       votes.py CLUSTER return NODE KEPT  NODE's exclusion is taken away; those of others stay (KEPT: a file of this program)

Ends with 0; 75 when it is not so in time; 77 when the votes that remain are too few.
"""

import json
import os
import sys
import time
from urllib.parse import quote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from cluster import Cluster, Denied, NoAnswer, end, load, narrate  # noqa: E402

DEADLINE_S = 60
EXCLUSIONS = "/_cluster/voting_config_exclusions"
STATE = "/_cluster/state/nodes,metadata,master_node?filter_path=master_node,nodes.*.name,metadata.cluster_coordination"


def ask(cluster):
    """Nodes {id: name}, the elected manager, the committed configuration, the exclusions."""
    state = cluster.ask(STATE)
    votes = state.get("metadata", {}).get("cluster_coordination", {})
    return {
        "nodes": {node: said["name"] for node, said in state.get("nodes", {}).items()},
        "manager": state.get("master_node"),
        "committed": votes.get("last_committed_config", []),
        "excluded": votes.get("voting_config_exclusions", []),
    }


def left_by_config(facts, node):
    """Managers that stay by the configuration, without a node."""
    return sorted(name for name, said in facts["nodes"].items() if "manager" in said["roles"] and said["is"] != "out" and name != node)


def problem(facts, seen, node):
    """Why the vote of a node can't leave; empty when it can. Pure.

    Managers that stay are counted by the configuration: two may leave one after the other and end in an odd number.
    """
    stay = left_by_config(facts, node)
    here = set(seen["nodes"].values())
    without_vote = {one["node_name"] for one in seen["excluded"]}
    voting = [name for name in stay if name in here and name not in without_vote]
    missing = [name for name in stay if name not in voting]
    count = len(stay)
    word = "manager" if count == 1 else "managers"
    if count == 0:
        return f"{node} is the last manager of {facts['cluster']} (allowed: at least 1 stays); add a manager first"
    if 2 * len(voting) <= count:
        return (
            f"without {node} {len(voting)} of {count} managers can vote (allowed: {count // 2 + 1} or more);"
            f" {', '.join(missing)} can't; start it first"
        )
    if count % 2 == 0 or count == 1:
        if not facts["single_manager"]:
            return (
                f"without {node} {facts['cluster']} has {count} {word}: {', '.join(stay)} (allowed: 3, 5 or 7);"
                " add or remove another manager in the same update, or set singleManager"
            )
    # A configuration that has lost others must shrink by one at a time.
    alive = [one for one in seen["committed"] if one in seen["nodes"] and seen["nodes"][one] != node]
    if seen["committed"] and 2 * (len(alive) + 1) <= len(seen["committed"]):
        return (
            f"{len(alive)} of {len(seen['committed'])} voters answer without {node}"
            f" (allowed: {len(seen['committed']) // 2 + 1} or more); start the missing managers first"
        )
    return ""


def has_vote(seen, node):
    return any(seen["nodes"].get(one) == node for one in seen["committed"])


def is_excluded(seen, node):
    return any(one["node_name"] == node for one in seen["excluded"])


def is_gone(seen, node):
    """No vote, not elected, and it can't get a vote again."""
    elected = seen["nodes"].get(seen["manager"])
    return not has_vote(seen, node) and elected is not None and elected != node and is_excluded(seen, node)


def exclude(cluster, seen, node):
    """One id: names are lists and patterns to the engine, ids are not."""
    own = next((one for one, name in seen["nodes"].items() if name == node), None)
    which = f"node_ids={quote(own, safe='')}" if own else f"node_names={quote(node, safe='')}"
    cluster.ask(f"{EXCLUSIONS}?{which}&timeout=30s", method="POST", seconds=40)


def leave(cluster, node):
    seen = ask(cluster)
    if is_gone(seen, node):
        return f"{node} has no vote; {seen['nodes'][seen['manager']]} is the manager"
    if found := problem(cluster.facts, seen, node):
        end(77, found)
    deadline = time.monotonic() + DEADLINE_S
    said = ""
    while True:
        try:
            if not is_excluded(seen, node):
                exclude(cluster, seen, node)
            seen = ask(cluster)
            if is_gone(seen, node):
                return f"{node} has no vote any more; {seen['nodes'][seen['manager']]} is the manager of {len(seen['committed'])} voters"
            said = f"{len(seen['committed'])} voters, elected is {seen['nodes'].get(seen['manager'], 'no manager')}"
        except NoAnswer as error:
            said = str(error)
        if time.monotonic() > deadline:
            end(75, f"{node} still has a vote after {DEADLINE_S} s: {said}; run npx pulumi up again")
        time.sleep(0.3)


def kept_of(path):
    try:
        with open(path, encoding="utf8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return []


def keep(path, rows):
    temporary = f"{path}.new"
    with open(temporary, "w", encoding="utf8") as file:
        json.dump(rows, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def give_back(cluster, node, path):
    """Take away the exclusion of one node. The engine clears all or none, so those of others are kept in a file and set again."""
    seen = ask(cluster)
    others = {one["node_id"]: one for one in [*seen["excluded"], *kept_of(path)] if one["node_name"] != node}
    missing = [one for one in others.values() if not any(one["node_id"] == here["node_id"] for here in seen["excluded"])]
    if not is_excluded(seen, node) and not missing:
        if os.path.exists(path):
            os.remove(path)
        return f"no exclusion of votes names {node}"
    if others:
        keep(path, list(others.values()))
        missing = list(others.values())
    cluster.ask(f"{EXCLUSIONS}?wait_for_removal=false", method="DELETE", seconds=40)
    for one in missing:
        # An entry for a node that never joined has a name alone.
        known = one["node_id"] and one["node_id"] != "_absent_"
        which = f"node_ids={quote(one['node_id'], safe='')}" if known else f"node_names={quote(one['node_name'], safe='')}"
        try:
            cluster.ask(f"{EXCLUSIONS}?{which}&timeout=30s", method="POST", seconds=40)
        except Denied as error:
            narrate(f"the exclusion of {one['node_name']}: {error}")
    if os.path.exists(path):
        os.remove(path)
    rest = ", ".join(sorted(one["node_name"] for one in others.values()))
    return f"the exclusion of {node}'s vote is taken away{f'; those of others stay: {rest}' if rest else ''}"


def main():
    words = sys.argv[1:]
    if len(words) < 3 or words[0].startswith("-") or (words[1], len(words)) not in {("check", 3), ("leave", 3), ("return", 4)}:
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    facts = load(words[0])
    verb, node = words[1:3]
    cluster = Cluster(facts)
    if node not in facts["nodes"] and verb != "return":
        end(64, f'"{node}" is no node of {facts["cluster"]}; its nodes: {", ".join(sorted(facts["nodes"]))}')
    try:
        if verb == "return":
            print(give_back(cluster, node, words[3]))
        elif "manager" not in facts["nodes"][node]["roles"]:
            print(f"{node} has no vote: it is no manager")
        elif verb == "leave":
            print(leave(cluster, node))
        else:
            seen = ask(cluster)
            if not is_gone(seen, node) and (found := problem(facts, seen, node)):
                end(77, found)
            print(f"{node} may leave: {', '.join(left_by_config(facts, node))} stay")
    except (NoAnswer, Denied) as error:
        end(75, f"{facts['cluster']} does not tell its votes: {error}; run npx pulumi up again")


if __name__ == "__main__":
    main()
