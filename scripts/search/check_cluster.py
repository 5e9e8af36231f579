#!/usr/bin/env python3
"""Whether a search cluster is whole after a change, by each node's own word. The Python half of check-cluster.sh.

Usage: check_cluster.py CLUSTER UUID     (UUID: as recorded when it was formed; "-" without a record)

Prints a line of prose, then key=value a line. Ends with 0, 64, 75 or 77.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import keeper  # noqa: E402
import leases  # noqa: E402
import settings  # noqa: E402
import shards  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load  # noqa: E402
from waiting import limits, until  # noqa: E402

# The health says "green" for half a minute after a cut; what each node sees itself does not.
VIEW = "/_cluster/state/nodes,master_node?local=true&filter_path=cluster_uuid,master_node,nodes.*.name"


def disagreement(cluster, uuid):
    """What the nodes do not agree on, in words; "" when all see one manager and one cluster. Ends with 77 at another cluster."""
    seen = {}
    for name in cluster.members("in", "drained"):
        try:
            said = cluster.at(name, VIEW, seconds=5)
        except (NoAnswer, Denied) as error:
            return str(error)
        if uuid not in ("-", said.get("cluster_uuid")):
            end(77, f"{name} is in another cluster, {said.get('cluster_uuid')} (recorded: {uuid}); stop it, and look at its data folder")
        manager = said.get("nodes", {}).get(said.get("master_node"), {}).get("name", "none")
        missing = set(cluster.members("in", "drained")) - {about["name"] for about in said.get("nodes", {}).values()}
        if missing:
            return f"{name} does not see {', '.join(sorted(missing))}"
        seen.setdefault((said.get("cluster_uuid"), manager), []).append(name)
    if len(seen) == 1 and next(iter(seen))[1] != "none":
        return ""
    return "; ".join(f"{', '.join(names)} see manager {manager}" for (_, manager), names in sorted(seen.items(), key=str))


def check(cluster, uuid):
    wait, said = limits(cluster.facts), []
    until(f"the nodes of {cluster.name} agree", wait["join"], lambda: disagreement(cluster, uuid), 0.25)
    for lease in (keeper.ALLOCATION, keeper.SPOT):
        settings.give_back(cluster, lease, keeper.identity())

    def left():
        done, found = shards.settled(cluster)
        said[:] = [found]
        return "" if done else found

    until(f"{cluster.name} is settled", wait["cover"], left)
    scopes = settings.read(cluster)
    value, scope = leases.effective(scopes, leases.ENABLE)
    count = len(cluster.members("in", "drained"))
    allocation = f'allocation "{value}" ({scope})' if value else "allocation on"
    held = ", ".join(f"lease {name} by {record['by']}" for name, record in sorted(leases.records(scopes, cluster.name).items()))
    prose = f"{count} nodes see the same manager, {said[0]}; {allocation}{'; ' + held if held else ''}"
    return prose, {"verdict": "good", "status": said[0].split(",")[0], "allocation": value or "all", "nodes": count}


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    if len(words) != 2:
        end(64, f"check_cluster.py takes CLUSTER UUID, got: {' '.join(words)}")
    keeper.end_with_parent()
    cluster = Cluster(load(words[0]))
    try:
        prose, pairs = check(cluster, words[1])
    except NoAnswer as error:
        end(75, f"{cluster.name} gives no answer: {error}")
    except Denied as error:
        end(77, f"{cluster.name} refuses: {error}")
    print(prose)
    for key, value in pairs.items():
        print(f"{key}={value}")


if __name__ == "__main__":
    main(sys.argv[1:])
