#!/usr/bin/env python3
"""Restore the newest good snapshot of a search cluster into scratch indexes, compare, measure, delete. Half of rehearse-restore.sh.

Usage: rehearse.py CLUSTER always|version     (version: only when nodes run another version than the stack file has)

Prints a line of prose, then key=value a line. Ends with 0, 64, 75 or 77.
"""

import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import allocation  # noqa: E402
import counts  # noqa: E402
import keeper  # noqa: E402
import packing  # noqa: E402
import scratch  # noqa: E402
import settings  # noqa: E402
import snapshots  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load, narrate  # noqa: E402
from node_unit import write_record  # noqa: E402
from room import watermark_problem  # noqa: E402
from sizes import human, lasting, some_of  # noqa: E402
from take_snapshot import kind_of, read_record  # noqa: E402
from waiting import SNAPSHOT_S, backup, until  # noqa: E402

PAUSE_S = 0.3
# So long no byte may arrive before a person is asked.
STILL_S = 300
TELL_S = 10
NAME_BYTES = 255
# What would let a policy or a filter of the cluster act on a copy.
LEFT_OUT = ["index.lifecycle.*", "index.plugins.index_state_management.*", "index.opendistro.*", "index.routing.allocation.*", "index.blocks.*"]
ROUTING = "?filter_path=routing_table.indices.*.shards.*.state,routing_table.indices.*.shards.*.unassigned_info.details"
RECOVERED = "/_recovery?filter_path=*.shards.index.size.recovered_in_bytes"


def is_compared(index):
    """Indexes of the engine's own machinery change by themselves; `.ds-` ones are programs' data."""
    return not index.startswith(".") or index.startswith(".ds-")


def rooms(cluster):
    """Bytes below the low watermark by data node that is `in`. @raise NoAnswer, Denied"""
    seen = allocation.view(cluster)
    if problem := watermark_problem(seen):
        end(77, problem)
    known = {node: cluster.nodes.get(said["name"], {}) for node, said in seen["nodes"].items() if said["data"]}
    return {
        seen["nodes"][node]["name"]: packing.room_below(seen["disks"].get(node), seen["settings"])
        for node, said in known.items()
        if said.get("is") == "in"
    }


def batches(sizes, room):
    """Indexes in lots that fit below the watermarks one after the other: (lots, the index that fits nowhere or None). Pure.

    sizes: index -> bytes of its shards. room: bytes by node. No shard is divided.
    """
    lots, left = [], dict(room)
    for index in sorted(sizes):
        fresh = placed(sizes[index], dict(room))
        if fresh is None:
            return lots, index
        beside = placed(sizes[index], dict(left)) if lots else None
        if beside is None:
            lots.append([index])
            left = fresh
        else:
            lots[-1].append(index)
            left = beside
    return lots, None


def placed(shards, room):
    """The room that is left when each shard is on the node with the most; None when one does not fit. Pure."""
    for size in sorted(shards, reverse=True):
        node = max(room, key=room.get, default=None)
        if node is None or room[node] < size:
            return None
        room[node] -= size
    return room


def sizes_of(cluster, snapshot):
    """Bytes of each shard by index. @raise NoAnswer, Denied"""
    path = f"{snapshots.PATH}/{snapshot}/_status?filter_path=snapshots.indices.*.shards.*.stats.total.size_in_bytes"
    said = cluster.ask(path, seconds=300)["snapshots"][0].get("indices", {})
    return {index: [one["stats"]["total"]["size_in_bytes"] for one in about["shards"].values()] for index, about in said.items()}


def states(cluster, names):
    """(shards that are not there yet, why one failed or "") of scratch indexes. @raise NoAnswer, Denied"""
    tables = cluster.ask(f"/_cluster/state/routing_table/{','.join(names)}{ROUTING}&{counts.HIDDEN}").get("routing_table", {}).get("indices", {})
    missing = [name for name in names if name not in tables]
    for index, table in tables.items():
        for number, copies in table["shards"].items():
            details = str(copies[0].get("unassigned_info", {}).get("details") or "")
            if copies[0]["state"] == "UNASSIGNED" and "fail" in details:
                causes = re.findall(r"(?:nested: |failure )(\w+(?:Exception|Error)\[[^;]*)", details)
                cause = re.sub(r"\s+", " ", causes[-1] if causes else details)[:250]
                return 1, f"{index}[{number}]: {cause}"
            missing += [number] if copies[0]["state"] != "STARTED" else []
    return len(missing), ""


def recovered(cluster, names):
    said = cluster.ask(f"/{','.join(names)}{RECOVERED}&{counts.HIDDEN}", seconds=30)
    return sum(one["index"]["size"]["recovered_in_bytes"] for about in said.values() for one in about["shards"])


class Rehearsal:
    """One rehearsal: what was compared, how long the restores took, and what is wrong."""

    def __init__(self, cluster, snapshot):
        self.cluster, self.snapshot = cluster, snapshot
        self.start = scratch.prefix_of(cluster.name)
        self.record = read_record(cluster, snapshot)
        self.seconds = self.docs = self.compared = 0
        self.wrong = []

    def restore(self, lot, whole):
        """Restore a lot, and wait until each shard has started. Ends with 77 when one can't be. @raise NoAnswer, Denied"""
        body = {
            **{"indices": lot, "include_global_state": False, "include_aliases": False, "partial": False},
            **{"rename_pattern": "(.+)", "rename_replacement": f"{self.start}$1", "ignore_index_settings": LEFT_OUT},
            "index_settings": {
                **{"index.number_of_replicas": 0, "index.auto_expand_replicas": "false"},
                # No search over all indexes finds a hidden one, and nobody writes into it.
                **{"index.hidden": True, "index.blocks.write": True},
            },
        }
        names = [self.start + index for index in lot]
        keeper.require_claim()
        since = moved = told = time.monotonic()
        self.cluster.ask(f"{snapshots.PATH}/{self.snapshot}/_restore?wait_for_completion=false", body, "POST", 60)
        last = 0
        while True:
            left, why = states(self.cluster, names)
            if why:
                end(77, f"snapshot {self.snapshot} can't be restored: {why}; take another one: snapshots.now: <date>")
            if not left:
                break
            now = time.monotonic()
            if now - told > TELL_S or now - moved > STILL_S:
                told, here = now, recovered(self.cluster, names)
                moved, last = (now, here) if here > last else (moved, last)
                narrate(f"restoring {len(lot)} indexes: {human(here)} of {human(whole)}, {left} shards left")
            if now - moved > STILL_S:
                end(77, f"snapshot {self.snapshot}: {left} shards of {some_of(names)} stand still for {STILL_S} s; ask _cluster/allocation/explain")
            time.sleep(PAUSE_S)
        self.seconds += time.monotonic() - since

    def compare(self, lot):
        """Each copy by its count and by a sample of documents. @raise NoAnswer, Denied"""
        names = [self.start + index for index in lot]
        copies = counts.before(self.cluster, names)
        times = counts.made(self.cluster)
        live = [index for index in lot if times.get(index) is not None and times.get(index) == times.get(self.start + index)]
        now = counts.after(self.cluster, live) if live else {}
        first, last = self.record.get("before", {}), self.record.get("after", {})
        for index in lot:
            copy = copies.get(self.start + index)
            if copy is None:
                self.wrong.append(f"{index}: its copy does not say how many documents it has")
                continue
            why = counts.outside(index, copy, first.get(index), last.get(index) or now.get(index))
            if not why and index in now:
                why = self.sampled(index, copy, now[index])
            self.docs += copy["docs"]
            self.wrong += [why] if why else []

    def sampled(self, index, copy, now):
        found = counts.sample(self.cluster, self.start + index)
        same, why = counts.unlike(self.cluster, index, found, now["ops"] - copy["ops"])
        self.compared += same
        return why or ("" if found or not copy["docs"] else f"{index}: its copy has {copy['docs']} documents, and none is found")

    def run(self, lots, sizes):
        for lot in lots:
            self.restore(lot, sum(sum(sizes[index]) for index in lot))
            self.compare(lot)
            remove(self.cluster)


def remove(cluster):
    """Scratch indexes of this run or of one that died go away; ends with 77 when somebody uses one. @raise NoAnswer, Denied"""
    deleted, kept = scratch.remove(cluster)
    if kept:
        end(77, f"{some_of(kept)} has an alias, so somebody uses it; take the alias away, or rename it by a reindex")
    return deleted


def require_room(cluster, sizes):
    """The lots. Ends with 77 when one index has no room. @raise NoAnswer, Denied"""
    room = rooms(cluster)
    lots, wide = batches(sizes, room)
    if wide:
        places = ", ".join(f"{node} {human(max(0, size))}" for node, size in sorted(room.items()))
        need = f"{human(sum(sizes[wide]))}, largest shard {human(max(sizes[wide]))}"
        end(77, f"{wide} ({need}) has no room for a rehearsal below the low watermark: {places or 'no data node'}; free disk space, or snapshots.trial: false")
    return lots


def rehearse(cluster):
    good = snapshots.good(snapshots.own(cluster))
    if not good:
        end(77, f"{cluster.name} has no good snapshot of this program; take one: snapshots.now: <date>")
    name = good[0]["snapshot"]
    old = snapshots.age(cluster, name)
    until(f"no snapshot or restore of others runs in {cluster.name}", SNAPSHOT_S, lambda: backup(cluster), 0.5)
    settings.take(cluster, scratch.LEASE, settings.who(f"rehearse-restore on {cluster.own}", scratch.LEASE_S))
    renewer = keeper.Keeper(cluster)
    renewer.names.append(scratch.LEASE)
    try:
        remove(cluster)
        sizes = sizes_of(cluster, name)
        whole = sum(sum(parts) for parts in sizes.values())
        asked = {index: parts for index, parts in sizes.items() if is_compared(index) and len(scratch.prefix_of(cluster.name) + index) <= NAME_BYTES}
        lots = require_room(cluster, asked)
        done = Rehearsal(cluster, name)
        done.run(lots, asked)
    finally:
        put_away(cluster, renewer)
    if done.wrong:
        more = f" and {len(done.wrong) - 3} more" if len(done.wrong) > 3 else ""
        end(77, f"the copy in snapshot {name} is wrong: {'; '.join(done.wrong[:3])}{more}. Do not rely on it; take another one: snapshots.now: <date>")
    size = sum(sum(parts) for parts in asked.values())
    all_s = done.seconds * (whole / size if size else 1)
    aged = "of unknown age" if old is None else f"{lasting(old).removeprefix('about ')} old"
    prose = f"snapshot {name}, {aged}, restored in {done.seconds:.1f} s: {len(asked)} indexes, {human(size)}, {done.docs} documents, {done.compared} compared one by one"
    prose += f"; a rebuild of all takes {lasting(all_s)} before replicas"
    # For who watches the update, and for the probe.
    narrate(prose)
    write_record(cluster.name, "rehearsed", {"snapshot": name, "rebuild_seconds": round(all_s)})
    pairs = {"snapshot": name, "rehearsed": "yes", "seconds": f"{done.seconds:.1f}", "bytes": size, "documents": done.docs, "compared": done.compared}
    return prose, {**pairs, "rebuild_seconds": round(all_s)}


def put_away(cluster, renewer):
    """Nothing of a rehearsal stays, however it ended; what fails here the watch of each node's host does within a minute."""
    try:
        scratch.remove(cluster)
        renewer.stop()
        settings.give_back(cluster, scratch.LEASE, keeper.identity())
    except (NoAnswer, Denied) as error:
        renewer.stop()
        narrate(f"scratch indexes of {cluster.name} are still there; the watch on each node's host deletes them: {error}")


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    if len(words) != 2 or words[1] not in ("always", "version"):
        end(64, f"rehearse.py takes CLUSTER always|version, got: {' '.join(words)}")
    keeper.end_with_parent()
    cluster = Cluster(load(words[0]))
    snapshots.location_of(cluster)
    try:
        if words[1] == "version" and kind_of(cluster) != "version":
            prose, pairs = f"no rehearsal is needed: all nodes of {cluster.name} run {cluster.facts['version']}", {"rehearsed": "no"}
        else:
            prose, pairs = rehearse(cluster)
    except NoAnswer as error:
        end(75, f"{cluster.name} gives no answer: {error}")
    except Denied as error:
        end(77, f"{cluster.name} refuses: {error}")
    print(prose)
    for key, value in pairs.items():
        print(f"{key}={value}")


if __name__ == "__main__":
    main(sys.argv[1:])
