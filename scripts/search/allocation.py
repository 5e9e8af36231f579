"""What a search cluster knows of its shard copies, disks and limits, in one dictionary. Read-only.

`view()` asks; `explain()` has the allocator's own word for single copies. Pure parts work on what they returned.
"""

import re
from concurrent.futures import ThreadPoolExecutor

import leases
import settings
from cluster import Denied, narrate

STATE = (
    "/_cluster/state/nodes,routing_table,metadata,customs,master_node?filter_path=master_node,nodes,"
    "routing_table.indices.*.shards,metadata.indices.*.state,metadata.indices.*.settings.index.routing,"
    "metadata.indices.*.settings.index.auto_expand_replicas,"
    "metadata.cluster_coordination,snapshots.snapshots.snapshot,snapshots.snapshots.repository,snapshots.snapshots.state"
)
STATS = (
    "/_nodes/stats/fs,indices/store?level=shards&timeout=8s&filter_path="
    "nodes.*.fs.total.total_in_bytes,nodes.*.fs.total.available_in_bytes,nodes.*.indices.shards.*.*.store.size_in_bytes"
)
# What may be asked of one cluster at once: an explanation takes its manager about 5 ms.
AT_ONCE = 8


def label(copy):
    """`logs[0]`: the shard of a copy."""
    return f"{copy['index']}[{copy['shard']}]"


def key_of(copy):
    """`logs[0]@id`: one copy, among all."""
    return f"{label(copy)}@{copy['node']}"


def nodes_of(state, roles, facts):
    """Nodes by id: name, ip (what `exclude._ip` is compared with), attributes, whether it takes data."""
    nodes = {}
    for node, said in state.get("nodes", {}).items():
        known = facts["nodes"].get(said["name"], {})
        own = roles.get(node, {}).get("roles") or known.get("roles") or ["data"]
        nodes[node] = {
            "name": said["name"],
            "ip": said.get("transport_address", "").rsplit(":", 1)[0].strip("[]"),
            "attributes": said.get("attributes", {}),
            "data": any(role == "data" or role.startswith("data_") for role in own),
            "manager": any(role in ("master", "cluster_manager", "manager") for role in own),
        }
    return nodes


def copies_of(state):
    """Every copy of every shard; the target of a relocation is no copy of its own, but the `to` of its source."""
    copies = []
    for index, table in state.get("routing_table", {}).get("indices", {}).items():
        for number, group in table["shards"].items():
            for one in group:
                if one["state"] == "INITIALIZING" and one.get("relocating_node"):
                    continue
                copies.append(
                    {
                        "index": index,
                        "shard": int(number),
                        "primary": one["primary"],
                        "state": one["state"],
                        "node": one.get("node"),
                        "to": one.get("relocating_node"),
                        "why": (one.get("unassigned_info") or {}).get("reason"),
                        "delayed": bool((one.get("unassigned_info") or {}).get("delayed")),
                    }
                )
    return copies


def sizes_of(stats):
    """Bytes by (index, shard, node)."""
    sizes = {}
    for node, said in stats.get("nodes", {}).items():
        for index, rows in said.get("indices", {}).get("shards", {}).items():
            for row in rows:
                for number, shard in row.items():
                    sizes[index, int(number), node] = shard.get("store", {}).get("size_in_bytes", 0)
    return sizes


def bytes_of_copy(sizes, copy):
    """Bytes of a copy; of a copy whose node tells nothing, those of the largest other copy of its shard."""
    own = sizes.get((copy["index"], copy["shard"], copy["node"]))
    if own is not None:
        return own
    return max((size for (index, shard, _), size in sizes.items() if (index, shard) == (copy["index"], copy["shard"])), default=0)


def expanding(about):
    """(fewest, most) replicas of an index that follows the number of nodes by itself; None for another one."""
    found = re.fullmatch(r"(\d+)-(\d+|all)", str(about.get("settings", {}).get("index", {}).get("auto_expand_replicas", "false")))
    return (int(found[1]), None if found[2] == "all" else int(found[2])) if found else None


def flat(settings):
    """Nested settings as `a.b.c: text`; a list is its parts with commas."""
    result = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            result.update({f"{key}.{inner}": text for inner, text in flat(value).items()})
        else:
            result[key] = ",".join(value) if isinstance(value, list) else value
    return result


def effective(scopes):
    """Settings as they work: transient over persistent over the file of the elected manager. An empty text counts."""
    merged = {**scopes["file"], **scopes["persistent"], **scopes["transient"]}
    return {key: leases.text(value) for key, value in merged.items()}


def view(cluster):
    """All of it at one moment, as near as four questions can be. @raise NoAnswer, Denied."""
    state = cluster.ask(STATE)
    roles = cluster.ask("/_nodes/http?timeout=8s&filter_path=nodes.*.roles").get("nodes", {})
    stats = cluster.ask(STATS)
    indexes = state.get("metadata", {}).get("indices", {})
    sizes = sizes_of(stats)
    copies = copies_of(state)
    for copy in copies:
        copy["bytes"] = bytes_of_copy(sizes, copy)
        copy["expands"] = expanding(indexes.get(copy["index"], {}))
    total = "routing.allocation.total_shards_per_node"
    limits = {index: flat(said.get("settings", {}).get("index", {})).get(total) for index, said in indexes.items()}
    return {
        "manager": state.get("master_node"),
        "nodes": nodes_of(state, roles, cluster.facts),
        "copies": copies,
        "disks": {
            node: {"total": disk["total_in_bytes"], "free": disk["available_in_bytes"]}
            for node, said in stats.get("nodes", {}).items()
            if (disk := said.get("fs", {}).get("total", {})).get("total_in_bytes", 0) > 0
        },
        "limits": {index: int(limit) for index, limit in limits.items() if limit and int(limit) > 0},
        "settings": effective(settings.read(cluster)),
        "closed": sorted(index for index, said in indexes.items() if said.get("state") == "close"),
        "snapshots": [
            f"{one['repository']}/{one['snapshot']}" for one in (state.get("snapshots") or {}).get("snapshots", [])
        ],
        "votes": state.get("metadata", {}).get("cluster_coordination", {}),
    }


def named(nodes, name):
    """The id of the node with a name; None when the cluster has none. `_ip` and names are not unique, ids are."""
    return next((node for node, said in nodes.items() if said["name"] == name), None)


def explain_one(cluster, copy):
    question = {"index": copy["index"], "shard": copy["shard"], "primary": copy["primary"]}
    if copy["node"]:
        question["current_node"] = copy["node"]
    try:
        return cluster.ask("/_cluster/allocation/explain", question)
    except Denied as error:
        # It moved between the look and the question.
        narrate(f"{label(copy)}: {error.reason}")
        return None


def explain(cluster, copies):
    """The allocator's word for each copy, in their order; None for one that moved meanwhile. @raise NoAnswer."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda copy: explain_one(cluster, copy), copies))


def deciders_of(explanation):
    """What stands against each node: {node: [(decider, NO or THROTTLE, its explanation)]}."""
    found = {}
    for said in (explanation or {}).get("node_allocation_decisions", []):
        found[said["node_id"]] = [
            (one["decider"], one["decision"], re.sub(r"\s+", " ", one.get("explanation", "")))
            for one in said.get("deciders", [])
            if one["decision"] in ("NO", "THROTTLE")
        ]
    return found
