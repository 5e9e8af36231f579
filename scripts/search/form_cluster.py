#!/usr/bin/env python3
"""Form a search cluster of its managers. The Python half of form-cluster.sh.

Usage: form_cluster.py CLUSTER
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import shards  # noqa: E402
from bounce_node import Bounce  # noqa: E402
from cluster import Denied, NoAnswer, end, load, narrate  # noqa: E402
from node_unit import CONFIG, Failed, read_record, write_file, write_record  # noqa: E402

NONE = ("_na_", "", None)


def managers(facts):
    return [name for name, about in sorted(facts["nodes"].items()) if "manager" in about["roles"] and about["is"] != "out"]


def uuid_seen(cluster, node):
    """The uuid of the cluster that a node belongs to; None: it gives no answer, or is in none."""
    try:
        uuid = cluster.at(node, "/", seconds=2).get("cluster_uuid")
    except (NoAnswer, Denied):
        return None
    return None if uuid in NONE else uuid


def lacking_votes(cluster, facts):
    """What is missing until every manager votes, in words. Of an even number of managers the engine leaves one without a vote."""
    votes, count = shards.Votes(cluster.ask(shards.STATE), facts["node"]), len(managers(facts))
    wanted = count if count % 2 else count - 1
    return "" if len(votes.config) >= wanted else f"{len(votes.config)} of {wanted} managers vote"


def have_data(facts):
    """Whether the data folder has anything in it, as its owner sees it."""
    with os.scandir(facts["data"]) as found:
        return any(True for _ in found)


def start(bounce, facts, forming):
    known = read_record(facts["cluster"], "formed").get("uuid")
    others = [uuid for uuid in (uuid_seen(bounce.cluster, name) for name in facts["nodes"] if name != facts["node"]) if uuid]
    if not known and not others:
        if have_data(facts) and not os.path.exists(forming):
            end(77, f"{facts['data']} on {facts['node']} has data of another cluster; move it away, or name another folder; nothing was started")
        word = bounce.cluster.dialect["forming"]
        write_file(forming, f"FORMING=-E{word}={','.join(managers(facts))}\n")
    if bounce.unit.mark("current") is None:
        bounce.unit.switch(bounce.unit.link("next"))
    narrate(f"starting {facts['node']}")
    bounce.unit.start()


def main(words):
    if words[:1] == ["--help"] or len(words) != 1:
        print(__doc__)
        sys.exit(0 if words[:1] == ["--help"] else 64)
    facts = load(words[0])
    forming = f"{CONFIG}/{facts['cluster']}/forming"
    bounce = Bounce(facts, None, "-", False)
    before = bounce.unit.runs()
    try:
        if not before:
            start(bounce, facts, forming)
        bounce.wait_joined()
    except Failed as error:
        end(75 if error.soft else 77, f"{facts['node']}: {error}")
    deadline = time.monotonic() + facts["seconds"]["start"]
    while True:
        try:
            lacking = lacking_votes(bounce.cluster, facts)
        except (NoAnswer, Denied) as error:
            lacking = str(error)
        if not lacking:
            break
        if time.monotonic() > deadline:
            end(75, f"{facts['cluster']} is not formed after {facts['seconds']['start']} s: {lacking}")
        time.sleep(0.3)
    uuid = uuid_seen(bounce.cluster, facts["node"])
    known = read_record(facts["cluster"], "formed").get("uuid")
    if known and uuid != known:
        end(77, f"{facts['node']} is in cluster {uuid}, and was in {known}; see docs/runbook.md, \"two search clusters\"")
    write_record(facts["cluster"], "formed", {"uuid": uuid})
    if not before:
        bounce.unit.write_record(bounce.unit.mark("current"), read_record(facts["cluster"], "running").get("bounced", "-"))
    if os.path.exists(forming):
        os.unlink(forming)
    print(f"{facts['node']} votes in {facts['cluster']} with {len(managers(facts)) - 1} other(s)")
    print(f"uuid={uuid}")


if __name__ == "__main__":
    main(sys.argv[1:])
