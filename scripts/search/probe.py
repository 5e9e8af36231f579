#!/usr/bin/env python3
"""Describe this host's node of a search cluster, and the cluster as the node sees it: one line of JSON on stdout. Read-only.

Usage: probe.py COMPONENT CLUSTER
"""

import json
import os
import re
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
sys.dont_write_bytecode = True

import leases  # noqa: E402
import queries  # noqa: E402
import rules  # noqa: E402
import shards  # noqa: E402
import snapshots  # noqa: E402
import writers  # noqa: E402
from cluster import FOLDER, Cluster, Denied, NoAnswer  # noqa: E402
from node_unit import Unit, read_record  # noqa: E402
from records import records_of, text_of  # noqa: E402

LIMIT_S = 3
NAMED_MOST = 20
CLUSTER_STATE = shards.STATE + ",metadata.indices.*.settings.index.blocks,snapshots.snapshots,restore.snapshots"
NOTHING = {
    "node": None,
    "health": None,
    "voters": [],
    "voters_alive": [],
    "snapshots": [],
    "newest": None,
    "without_replica": [],
    "blocked": [],
    "allocation": None,
    "leases": {},
    "shards": None,
}


def output(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def in_the_way(cluster, facts):
    """Other programs at the node's ports."""
    found = []
    for port in (facts["port"], facts["transport_port"]):
        for line in output("ss", "-Hltnp", f"sport = :{port}").splitlines():
            process = re.search(r'"([^"]+)",pid=(\d+)', line)
            unit = (text_of(f"/proc/{process[2]}/cgroup") or "").rsplit("/", 1)[-1] if process else ""
            if unit != f"changeover-search-{cluster}.service":
                found.append(f"{process[1] if process else 'an unknown program'} ({unit or 'no unit'}) on {line.split()[3]}")
    return found


def is_blocked(about):
    """Whether an index refuses writes."""
    blocks = about.get("settings", {}).get("index", {}).get("blocks", {})
    return any(str(blocks.get(key)) == "true" for key in ("write", "read_only", "read_only_allow_delete"))


def own_word(cluster):
    """What the node says of itself, at its own address; None: it says nothing."""
    try:
        said = cluster.at(cluster.own, "/", seconds=LIMIT_S)
        view = cluster.at(
            cluster.own, "/_cluster/state/nodes,master_node?local=true&filter_path=master_node,nodes.*.name", seconds=LIMIT_S
        )
    except (NoAnswer, Denied):
        return None
    manager = view.get("nodes", {}).get(view.get("master_node"), {}).get("name")
    return {"version": said["version"]["number"], "uuid": said["cluster_uuid"], "manager": manager}


def cluster_word(cluster):
    """What the elected manager says of the cluster, asked at this node. @raise NoAnswer, Denied"""
    patience = f"{cluster.dialect['patience']}={LIMIT_S - 1}s"
    health = cluster.at(cluster.own, f"/_cluster/health?{patience}", seconds=LIMIT_S)
    path = CLUSTER_STATE.replace("master_node?", "master_node,snapshots,restore?")
    state = cluster.at(cluster.own, path, seconds=LIMIT_S)
    scopes = {"file": {}, **cluster.at(cluster.own, f"/_cluster/settings?flat_settings=true&{patience}", seconds=LIMIT_S)}
    votes = shards.Votes(state)
    names = {node: about.get("name", node) for node, about in state.get("nodes", {}).items()}
    own = shards.named(state, cluster.own)
    indices = state.get("metadata", {}).get("indices", {})
    here = [copy for _, copies in shards.shards_of(state) for copy in copies if own in (copy.get("node"), copy.get("relocating_node"))]
    running = [f"snapshot {one.get('snapshot')}" for one in state.get("snapshots", {}).get("snapshots", [])]
    running += [f"restore of {one.get('snapshot')}" for one in state.get("restore", {}).get("snapshots", [])]
    return {
        "health": {
            "status": health["status"],
            "nodes": health["number_of_nodes"],
            "relocating": health["relocating_shards"],
            "unassigned": health["unassigned_shards"],
            "delayed": health["delayed_unassigned_shards"],
        },
        "voters": sorted(names.get(node, f"a lost node ({node})") for node in votes.config),
        "voters_alive": sorted(names[node] for node in votes.alive),
        "snapshots": running,
        "without_replica": sorted(name for name in indices if shards.replicas_of(state, name) == 0)[:NAMED_MOST],
        "blocked": sorted(name for name, about in indices.items() if is_blocked(about))[:NAMED_MOST],
        "allocation": leases.effective(scopes, leases.ENABLE)[0] or "all",
        "leases": {lease: record["by"] for lease, record in leases.records(scopes, cluster.name).items()},
        "shards": len(here),
    }


def newest_word(cluster):
    """The newest good snapshot of this program: {name, age, why, rebuild}; `why` it is unknown. Reads one file of the repository.

    rebuild: seconds by the last rehearsal, on the host that had it.
    """
    took = read_record(cluster.name, "rehearsed").get("rebuild_seconds", "")
    nothing = {"name": None, "age": None, "why": None, "rebuild": int(took) if took.isdigit() else None}
    try:
        said = cluster.at(cluster.own, f"{snapshots.PATH}/_all?verbose=false", seconds=LIMIT_S)
    except (NoAnswer, Denied) as error:
        return nothing | {"why": str(error)[:200]}
    return nothing | (snapshots.newest(cluster, said) or {})


def describe(component, name):
    unit, known = Unit(name), read_record(name, "running")
    try:
        with open(f"{FOLDER}/{name}.json", encoding="utf8") as file:
            facts = json.load(file)
    except (OSError, ValueError):
        facts = None
    said = dict(NOTHING)
    if facts:
        cluster = Cluster(facts)
        said["node"] = own_word(cluster)
        if said["node"] and said["node"]["manager"]:
            said["slow_queries"] = queries.count_here(cluster)
            try:
                said.update(cluster_word(cluster))
            except (NoAnswer, Denied):
                pass
            if facts.get("repo"):
                said["newest"] = newest_word(cluster)
    available = re.search(r"MemAvailable: +(\d+)", text_of("/proc/meminfo") or "")
    return {
        "host": socket.gethostname(),
        **records_of(component),
        "formed": read_record(name, "formed").get("uuid"),
        "running": known.get("mark"),
        "bounced": known.get("bounced"),
        "next": unit.mark("next"),
        "active": unit.runs(),
        **said,
        "writers": writers.known(name),
        "rules": rules.state(f"changeover-search-{name}") if facts else None,
        "in_the_way": in_the_way(name, facts) if facts else [],
        "memory_mib": int(available[1]) // 1024 if available else None,
    }


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    print(json.dumps(describe(*sys.argv[1:])))
