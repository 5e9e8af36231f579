"""Red shards of a search cluster: which, who has copies of them on disk, and what a person may do with which loss.

Imported by rescue.py.
"""

import os
import re
import subprocess

import shards
from cluster import Denied, NoAnswer

SHOWN_MOST = 3
# What of a stored copy says whether it is whole.
STORES = "/_shard_stores?status=red"


def shards_now(cluster):
    """(index, number) of each shard without a copy that serves, indexes that are being made left out. @raise NoAnswer, Denied"""
    return sorted(shard for shard, copies in shards.shards_of(cluster.ask(shards.STATE)) if not shards.serving(copies))


def uuids_now(cluster):
    """The same as (uuid of the index, number): so its folder on a disk is called."""
    try:
        lost = shards_now(cluster)
        found = cluster.ask("/_all/_settings?expand_wildcards=all&filter_path=*.settings.index.uuid") if lost else {}
    except (NoAnswer, Denied):
        return []
    uuids = {name: about["settings"]["index"]["uuid"] for name, about in found.items()}
    return [(uuids[index], number) for index, number in lost if index in uuids]


def on_disk(facts, wanted):
    """Those of `wanted` that have a folder here. The data is the engine's account's, so it is looked at as that account."""
    if not wanted:
        return []
    words = ["find", facts["data"], "-mindepth", "5", "-maxdepth", "5", "-type", "d", "-path", "*/indices/*", "-regex", r".*/[0-9]+"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False, user=facts["owner_uid"], env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, cwd="/")
    except (OSError, subprocess.SubprocessError):
        return []
    here = {(found[1], int(found[2])) for found in re.finditer(r"/indices/([^/\n]+)/([0-9]+)$", done.stdout, re.M)}
    return [one for one in wanted if one in here]


def stores(cluster, index, number):
    """Copies on disks of nodes that are in: (node, whether it failed to open). Without an answer none."""
    try:
        said = cluster.ask(f"/{index}{STORES}", seconds=30)
    except (NoAnswer, Denied):
        return []
    found = []
    for store in said.get("indices", {}).get(index, {}).get("shards", {}).get(str(number), {}).get("stores", []):
        names = [about["name"] for about in store.values() if isinstance(about, dict) and "name" in about]
        found += [(name, "store_exception" in store) for name in names]
    return found


def why_not(cluster, index, number):
    """The engine's reason why a primary is not placed, in one line."""
    try:
        said = cluster.ask("/_cluster/allocation/explain", {"index": index, "shard": number, "primary": True})
    except (NoAnswer, Denied) as error:
        return str(error)
    left = said.get("unassigned_info", {})
    return re.sub(r"\s+", " ", said.get("allocate_explanation") or left.get("reason") or "no reason given")


def command(cluster, kind, index, number, node):
    body = f'{{"commands": [{{"{kind}": {{"index": "{index}", "shard": {number}, "node": "{node}", "accept_data_loss": true}}}}]}}'
    address = cluster.nodes[cluster.order()[0]]["address"]
    return f"curl -X POST -H 'Content-Type: application/json' 'http://{address}:{cluster.facts['port']}/_cluster/reroute' -d '{body}'"


def explained(cluster, lost, missing):
    """Each of the first few: why, where copies may be, and the command of last resort with what it loses."""
    parts = []
    for index, number in lost[:SHOWN_MOST]:
        copies = stores(cluster, index, number)
        place = ", ".join(f"{node}{' (damaged)' if bad else ''}" for node, bad in copies)
        words = f"{index}[{number}]: {why_not(cluster, index, number)}"
        if place:
            words += f" Copies are on the disks of {place}."
        if missing:
            words += f" Its last good copy may be on {', '.join(missing)}, not in: start these first."
        whole = [node for node, bad in copies if not bad]
        able = [name for name in cluster.members("in") if "data" in cluster.nodes[name]["roles"] and name not in missing]
        if whole:
            words += f" Last resort, loses what was written after that copy fell behind: {command(cluster, 'allocate_stale_primary', index, number, whole[0])}"
        elif able:
            words += f" Restore it from a snapshot. Last resort, loses every document of this shard: {command(cluster, 'allocate_empty_primary', index, number, able[0])}"
        parts.append(words)
    more = f" And {len(lost) - SHOWN_MOST} more shards." if len(lost) > SHOWN_MOST else ""
    return " ".join(parts) + more


def no_manager(facts, seen):
    """Whom to start so that there is a majority."""
    managers = [name for name in seen.members if "manager" in facts["nodes"][name]["roles"]]
    silent = [name for name in managers if name not in seen.answering]
    if silent:
        return f"start {', '.join(silent)}, of {len(managers)} managers; the rows above say why each did not come up"
    return "all managers give an answer, but elect nobody; the log of each says why"
