#!/usr/bin/env python3
"""Copy all documents to the index of a version while programs go on. The Python half of copy-index.sh.

Usage: index_copy.py CLUSTER ALIAS RATE VERSION HOW FROM     RATE: documents a second, 0: no limit

A task of the cluster does it, which is found again by its name after a kill. Then what changed meanwhile is copied, in rounds.
Ends with 0, 64, 75 or 77.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import index_feed  # noqa: E402
import index_goal  # noqa: E402
import index_task  # noqa: E402
import indexes  # noqa: E402
from cluster import end, narrate  # noqa: E402

COPY_S = 12 * 3600
ROUNDS = 20
# So few changes are left to the moment of the swap.
FEW = 300
PAGE = 1000


def first_pass(cluster, goal, source):
    """All documents, by a task. External versions make a second run of it safe: what is there and newer stays. Gives pairs."""
    if goal.how == "import":
        host, index = goal.remote
        origin, slices = {"remote": {"host": host}, "index": index, "size": PAGE}, ""
    else:
        origin, slices = {"index": source, "size": PAGE}, "?slices=auto"
        noted = indexes.note_of(indexes.about(cluster, goal.dest))
        if not noted.get("since"):
            # Taken before the first run, and kept by later ones: what comes after it is copied again in any case.
            indexes.note(cluster, goal.dest, since=indexes.checkpoints(cluster, source))
        cluster.ask(f"/{source}/_refresh", {}, "POST", 60)
    body = {"conflicts": "proceed", "source": origin, "dest": {"index": goal.dest, "version_type": "external"}}
    result, lost = index_task.run(
        cluster,
        f"_reindex{slices}",
        body,
        index_task.mark_of(cluster, goal.alias, goal.version),
        what=f"{goal.dest} is copied from {source or goal.origin}",
        rate=goal.number,
        seconds=COPY_S,
        started=lambda task: indexes.note(cluster, goal.dest, task=task),
    )
    failed = index_task.failures_of(result)
    if failed:
        end(77, f"{goal.dest} was not copied: {failed}; {goal.alias} is as it was; correct the body (same version), or these documents")
    done = result["response"]
    indexes.note(cluster, goal.dest, copied=True, total=done["total"])
    return {"documents": done["total"], "took_ms": done["took"], "started_again": lost}


def copy(cluster, goal):
    source, _ = indexes.serving(cluster, goal.alias)
    if source == goal.dest:
        return f"{goal.alias} is {goal.dest}; nothing is to be copied", {"documents": 0}
    there = indexes.about(cluster, goal.dest)
    if there is None or not indexes.is_ours(cluster, goal.alias, there):
        end(77, f"{goal.dest} of this program is not there any more; run npx pulumi up --replace for this transition's id")
    noted, pairs = indexes.note_of(there), {"documents": 0}
    if not noted.get("copied"):
        pairs = first_pass(cluster, goal, source)
    if goal.how == "import":
        return f"{pairs['documents']} documents are in {goal.dest}; changes at {goal.origin} from now on are not", pairs
    since, changed, deadline = indexes.note_of(indexes.about(cluster, goal.dest))["since"], 0, index_feed.Deadline(COPY_S)
    for _ in range(ROUNDS):
        since, copied = index_feed.catch_up(cluster, source, goal.dest, since, deadline, pace=goal.number)
        indexes.note(cluster, goal.dest, since=since)
        changed += copied
        if copied <= FEW:
            break
        narrate(f"{goal.dest}: {copied} changes of {source} are copied; looking for more")
    rate = f", {1000 * pairs['documents'] / max(1, pairs['took_ms']):.0f}/s" if pairs["documents"] else ""
    prose = f"{pairs['documents']} documents of {source} are copied to {goal.dest}{rate}, and {changed} that changed since"
    return prose, pairs | {"changed": changed}


if __name__ == "__main__":
    index_goal.main(__doc__, ("alias", "number", "version", "how", "origin"), copy)
