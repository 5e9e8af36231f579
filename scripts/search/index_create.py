#!/usr/bin/env python3
"""Make the index of a version; with its alias, when there is none. The Python half of create-index.sh.

Usage: index_create.py CLUSTER ALIAS VERSION SHA256 HOW FROM BODY

One that is there stays when it is a copy of what the alias names now, finished or not; otherwise it is made anew. Ends with 0, 64, 75 or 77.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import index_goal  # noqa: E402
import index_task  # noqa: E402
import indexes  # noqa: E402
import keeper  # noqa: E402
from cluster import Denied, end  # noqa: E402

REQUEST_S = 60


def make(cluster, goal, body, noted, aliases):
    """@raise NoAnswer, Denied; ends with 77 when the engine refuses the body, or no node takes its primary."""
    mappings = dict(body.get("mappings", {}))
    mappings["_meta"] = {**(mappings.get("_meta") or {}), indexes.MARK: noted}
    asked = {"settings": body.get("settings", {}), "mappings": mappings, "aliases": aliases}
    try:
        said = cluster.put(f"/{goal.dest}?timeout=30s", asked, REQUEST_S)
    except Denied as error:
        if error.status != 400:
            raise
        there = indexes.about(cluster, goal.dest)
        # A first try whose answer was lost.
        if there is None or indexes.note_of(there) != noted:
            end(77, f"{cluster.name} refuses the body of {goal.dest}: {error.reason}; correct it, {goal.alias} is as it was")
        return
    if not said.get("shards_acknowledged"):
        end(75, f"no node has taken the primaries of {goal.dest} after 30 s; see docs/runbook.md, \"a search cluster places no shards\"")


def create(cluster, goal):
    body = indexes.body_of(goal.body)
    source, _ = indexes.serving(cluster, goal.alias)
    there = indexes.about(cluster, goal.dest)
    if source == goal.dest:
        return f"{goal.alias} is {goal.dest} already", {"made": "no"}
    uuid = goal.origin if goal.how == "import" else indexes.uuid_of(indexes.about(cluster, source)) if source else "-"
    if there is not None:
        noted = indexes.note_of(there)
        if not indexes.is_ours(cluster, goal.alias, there):
            end(77, f"{goal.dest} is an index of {cluster.name} that this program has not made; delete it, or write another version")
        if noted.get("sha256") == goal.sha and noted.get("source") == uuid:
            return f"{goal.dest} is there, and goes on as a copy of {source or goal.origin}", {"made": "no"}
        # It is nobody's copy: what changed since it served is known no more.
        if there["aliases"].keys() - {token_of(goal)}:
            end(77, f"{goal.dest} has aliases: {', '.join(sorted(there['aliases']))}; take them away, or write another version")
        index_task.cancel(cluster, index_task.mark_of(cluster, goal.alias, goal.version))
        keeper.require_claim()
        cluster.ask(f"/{goal.dest}", None, "DELETE", REQUEST_S)
    keeper.require_claim()
    first = source is None and goal.how != "import"
    noted = {"cluster": cluster.name, "alias": goal.alias, "version": goal.version, "sha256": goal.sha, "source": uuid, "served": first, "copied": first}
    make(cluster, goal, body, noted, {goal.alias: {}} if first else {})
    return f"{goal.dest} is made{f', and {goal.alias} is its alias' if first else ''}", {"made": "yes"}


def token_of(goal):
    return f"changeover-swap-{goal.alias}"


if __name__ == "__main__":
    index_goal.main(__doc__, ("alias", "version", "sha", "how", "origin", "body"), create)
