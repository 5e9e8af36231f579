#!/usr/bin/env python3
"""Start this host's node of a search cluster. The Python half of start-node.sh.

Usage: start_node.py CLUSTER BOUNCED
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from bounce_node import Bounce  # noqa: E402
from cluster import end, load, narrate  # noqa: E402
from node_unit import Failed, read_record, write_record  # noqa: E402


def main(words):
    if words[:1] == ["--help"] or len(words) != 2:
        print(__doc__)
        sys.exit(0 if words[:1] == ["--help"] else 64)
    facts = load(words[0])
    bounce = Bounce(facts, None, words[1], False)
    unit, runs = bounce.unit, bounce.unit.runs()
    try:
        if not runs:
            target = unit.link("current") or unit.link("next")
            if target is None:
                end(77, f"{facts['node']} has no configuration of {facts['cluster']}; run npx pulumi up")
            # A node that is new has nothing to go back to.
            if not unit.recorded():
                target = unit.link("next") or target
            unit.switch(target)
            narrate(f"starting {facts['node']}")
            unit.start()
        bounce.wait_joined()
    except Failed as error:
        end(75 if error.soft else 77, f"{facts['node']} does not serve: {error}")
    uuid = bounce.cluster.at(facts["node"], "/")["cluster_uuid"]
    known = read_record(facts["cluster"], "formed").get("uuid")
    if known and known != uuid:
        end(77, f"{facts['node']} is in cluster {uuid}, and was in {known}; see docs/runbook.md, \"two search clusters\"")
    write_record(facts["cluster"], "formed", {"uuid": uuid})
    if not runs or not unit.recorded():
        unit.write_record(unit.mark("current"), words[1])
    print(f"{facts['node']} {'runs and has joined' if runs else 'is started and has joined'}")


if __name__ == "__main__":
    main(sys.argv[1:])
