#!/usr/bin/env python3
"""Whether an index can become the wanted version, before anything is changed. The Python half of check-index.sh.

Usage: index_check.py CLUSTER ALIAS VERSION SHA256 HOW FROM BODY

HOW: reindex, update or import. FROM: http://host:port/index of an import, or -. Ends with 0, 64, 75 or 77.
"""

import fnmatch
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import allocation  # noqa: E402
import index_goal  # noqa: E402
import indexes  # noqa: E402
import packing  # noqa: E402
import room  # noqa: E402
from cluster import end  # noqa: E402
from sizes import human  # noqa: E402

MODULES = "/_nodes/plugins?filter_path=nodes.*.name,nodes.*.modules.name,nodes.*.plugins.name"


def require_name(cluster, goal):
    """The alias is no index's name, and the new index is ours or not there."""
    if indexes.about(cluster, goal.alias) is not None:
        end(77, f"{goal.alias} is an index of {cluster.name}, so no alias can have the name; let programs use another one, or name another alias in `indexes`")
    there = indexes.about(cluster, goal.dest)
    if there is None:
        return
    noted = indexes.note_of(there)
    if not indexes.is_ours(cluster, goal.alias, there):
        end(77, f"{goal.dest} is an index of {cluster.name} that this program has not made; delete it, or write another version")
    if noted.get("version") != goal.version:
        end(77, f'{goal.dest} was changed in place to version "{noted.get("version")}"; write another version')
    if noted.get("served") and noted.get("sha256") != goal.sha:
        end(77, f'the body of version "{goal.version}" is another one than {goal.dest} was made with; write another version')


def require_source(source, said):
    settings, mappings = said["settings"], said["mappings"]
    kept = mappings.get("_source") or {}
    if str(kept.get("enabled", "true")).lower() == "false" or kept.get("includes") or kept.get("excludes"):
        end(77, f"{source} does not keep its documents whole (_source), so it can't be copied; index them anew from where they come from")
    if settings.get("index.replication.type") == "SEGMENT":
        end(77, f"{source} replicates by segment, which was never tried with this program; allowed: DOCUMENT")
    if settings.get("index.blocks.read") == "true":
        end(77, f"{source} refuses reads (index.blocks.read); take the block away")


def require_module(cluster):
    said = cluster.ask(MODULES).get("nodes", {})
    without = sorted(one["name"] for one in said.values() if "reindex" not in [part["name"] for part in one.get("modules", []) + one.get("plugins", [])])
    if without:
        end(77, f"{', '.join(without)} has no module `reindex`; give `versions` an archive that has modules/reindex, and roll the cluster first")


def require_room(cluster, source, body):
    """Room for a second copy below the low watermarks, in bytes. Gives words."""
    seen = allocation.view(cluster)
    problem = room.watermark_problem(seen)
    if problem:
        end(77, problem)
    primaries = sum(copy["bytes"] for copy in seen["copies"] if copy["index"] == source and copy["primary"])
    settings = allocation.flat({"index": {**body.get("settings", {}), **body.get("settings", {}).get("index", {})}})
    replicas = settings.get("index.number_of_replicas", 1)
    needed = primaries * (1 + int(replicas))
    able = {node: packing.room_below(seen["disks"].get(node), seen["settings"]) for node, one in seen["nodes"].items() if one["data"]}
    free = sum(max(0, left) for left in able.values())
    if free < needed:
        end(77, f"a second copy of {source} needs {human(needed)} (free below the low watermark: {human(free)}); add a node, or delete old indexes")
    return needed, free


def require_allowed(cluster, goal):
    """Each node may read the other cluster. Ends with 77 and the line to add."""
    key = "reindex.remote.allowlist" if cluster.facts["engine"] == "opensearch" else "reindex.remote.whitelist"
    address = goal.remote[0].removeprefix("http://")
    said = cluster.ask("/_nodes/settings?flat_settings=true&filter_path=nodes.*.name,nodes.*.settings.reindex*").get("nodes", {})
    # The older name counts in OpenSearch too.
    keys = ("reindex.remote.allowlist", "reindex.remote.whitelist")
    without = []
    for one in said.values():
        values = [one.get("settings", {}).get(name) or [] for name in keys]
        names = [part.strip() for value in values for part in (value if isinstance(value, list) else str(value).split(","))]
        if not any(fnmatch.fnmatchcase(address, name) for name in names if name):
            without.append(one["name"])
    if without:
        end(77, f"{', '.join(sorted(without))} may not read from {address}; add to `settings` of {cluster.name}: {key}: \"{address}\"")


def check(cluster, goal):
    body = indexes.body_of(goal.body)
    require_name(cluster, goal)
    source, _ = indexes.serving(cluster, goal.alias)
    require_module(cluster)
    pairs = {"verdict": "good", "source": source or "none"}
    if goal.how == "update" and source is None:
        end(77, f"{goal.alias} names no index, so nothing can be changed in place; use `how: reindex`, which makes it")
    if goal.how == "import":
        require_allowed(cluster, goal)
        return f"{goal.dest} can be made from {goal.origin}, which is only read", pairs
    if source is None:
        return f"{goal.alias} does not exist yet; {goal.dest} is made for it, and nothing is copied", pairs
    said = indexes.about(cluster, source)
    require_source(source, said)
    documents = indexes.count(cluster, source)
    if source == goal.dest or goal.how == "update":
        return f"{goal.alias} is {source}, {documents} documents", pairs | {"documents": documents}
    needed, free = require_room(cluster, source, body)
    prose = f"{goal.alias} is {source}, {documents} documents; a second copy needs {human(needed)}, {human(free)} are free below the low watermark"
    return prose, pairs | {"documents": documents, "needed_bytes": needed, "free_bytes": free}


if __name__ == "__main__":
    index_goal.main(__doc__, ("alias", "version", "sha", "how", "origin", "body"), check)
