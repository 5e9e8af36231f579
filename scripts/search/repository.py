#!/usr/bin/env python3
"""Register the repository of a search cluster's snapshots, and see that every node can use it. Half of register-repository.sh.

Usage: repository.py CLUSTER

Prints a line of prose, then key=value a line. Ends with 0, 64, 75 or 77.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import keeper  # noqa: E402
import snapshots  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load  # noqa: E402
from sizes import some_of  # noqa: E402

NOT_YET = re.compile(r"doesn't match any of the locations specified by path\.repo")


class NotYet(Exception):
    """The nodes run without `path.repo`: the folder is in their next configuration only."""


def require_same(cluster, found, location):
    """Ends with 77 when the repository of this name is somebody else's."""
    settings = found.get("settings", {})
    words = f"repository {snapshots.REPOSITORY} of {cluster.name}"
    if found.get("type") != "fs" or settings.get("location") != location:
        where = settings.get("location") or f"of type {found.get('type')}"
        cure = f"keep that as snapshots.location, or unregister it (its files stay): DELETE {snapshots.PATH}"
        end(77, f"{words} is {where}, set earlier or by somebody else (expected: {location}); {cure}")
    if str(settings.get("readonly", "false")) == "true":
        end(77, f"{words} is read-only, set by somebody else: another cluster may write there; name a folder of {cluster.name}'s own")


def require_alone(cluster):
    """Ends with 77 when another cluster of this program writes there: two writers destroy a repository."""
    said = cluster.ask(f"{snapshots.PATH}/_all?verbose=false", seconds=60).get("snapshots", [])
    others = [one["snapshot"] for one in said if re.fullmatch(r"changeover-[a-z][a-z0-9_]*-\d{8}-\d{6}", one["snapshot"])]
    others = sorted(name for name in others if snapshots.began(cluster.name, name) is None)
    if others:
        end(77, f"the repository has {some_of(others)}, of another cluster (allowed: one that writes); name a folder of {cluster.name}'s own")


def verify(cluster):
    """Every node that holds data or votes writes to the folder and sees what the others wrote. Ends with 77, naming those that do not."""
    try:
        seen = {one.get("name") for one in cluster.ask(f"{snapshots.PATH}/_verify", method="POST", seconds=60).get("nodes", {}).values()}
    except Denied as error:
        names = [name for name in sorted(cluster.nodes) if re.search(rf"\{{{re.escape(name)}\}}|\[{re.escape(name)}\]", error.full)]
        place = cluster.facts["repo"]
        who = f"on {', '.join(names)} " if names else ""
        end(77, f"{place} {who}is not the folder that all nodes of {cluster.name} share: {error.reason}; mount it there, and let {cluster.facts['owner']} write")
    needed = [name for name in cluster.members("in", "drained") if {"data", "manager"} & set(cluster.nodes[name]["roles"])]
    missing = [name for name in needed if name not in seen]
    if missing:
        end(75, f"{', '.join(missing)} did not look at the repository: not in {cluster.name}, or just started; run npx pulumi up again")
    return sorted(seen)


def ensure(cluster):
    """Whether it was registered by this call. @raise NotYet, NoAnswer, Denied"""
    location = snapshots.location_of(cluster)
    found = snapshots.registered(cluster)
    if found is not None:
        require_same(cluster, found, location)
        return False
    body = {"type": "fs", "settings": {"location": location, "compress": "true"}}
    try:
        # Asked of all nodes afterwards, so that a node that lacks the folder is named.
        cluster.put(f"{snapshots.PATH}?verify=false", body, seconds=60)
    except Denied as error:
        if NOT_YET.search(error.full):
            raise NotYet(error.reason) from error
        raise
    return True


def register(cluster):
    try:
        new = ensure(cluster)
    except NotYet:
        end(77, f"the nodes of {cluster.name} run without path.repo {cluster.facts['repo']}; {keeper.start_again().replace('snapshot-id', 'roll-id')}")
    try:
        seen = verify(cluster)
        require_alone(cluster)
    except SystemExit:
        if new:
            # Nothing of it is used yet, and what does not work should not look as if it did. Files stay.
            cluster.ask(snapshots.PATH, method="DELETE")
        raise
    said = "is registered" if new else "is registered as before"
    return f"repository {snapshots.REPOSITORY} of {cluster.name} {said}: {len(seen)} nodes write to {cluster.facts['repo']}", {"nodes": len(seen)}


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    if len(words) != 1:
        end(64, f"repository.py takes CLUSTER, got: {' '.join(words)}")
    keeper.end_with_parent()
    cluster = Cluster(load(words[0]))
    try:
        prose, pairs = register(cluster)
    except NoAnswer as error:
        end(75, f"{cluster.name} gives no answer: {error}")
    except Denied as error:
        end(77, f"{cluster.name} refuses: {error}")
    print(prose)
    for key, value in pairs.items():
        print(f"{key}={value}")


if __name__ == "__main__":
    main(sys.argv[1:])
