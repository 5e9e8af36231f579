#!/usr/bin/env python3
"""Take a snapshot of a search cluster, or see that a young one is there. The Python half of take-snapshot.sh.

Usage: take_snapshot.py CLUSTER now
       take_snapshot.py CLUSTER before KINDS MINUTES     (KINDS: version, settings; with a comma between)

Prints a line of prose, then key=value a line. Ends with 0, 64, 75 or 77.
"""

import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import counts  # noqa: E402
import keeper  # noqa: E402
import repository  # noqa: E402
import scratch  # noqa: E402
import shards  # noqa: E402
import snapshots  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load, narrate  # noqa: E402
from node_unit import ROOT, Unit, write_file  # noqa: E402
from sizes import human, lasting, some_of  # noqa: E402
from waiting import SNAPSHOT_S, backup, until  # noqa: E402

PAUSE_S = 0.5
TELL_S = 10


def record_of(cluster, snapshot):
    """Where this host keeps what it counted: metadata of a snapshot has 1024 bytes at most."""
    return f"{ROOT}/{cluster.name}/snapshots/{snapshot}.json"


def read_record(cluster, snapshot):
    """{before, after}, each index -> {docs, ops}; empty on a host that has not taken it."""
    try:
        with open(record_of(cluster, snapshot), encoding="utf8") as file:
            said = json.load(file)
        return said if isinstance(said, dict) else {}
    except (OSError, ValueError):
        return {}


def kind_of(cluster):
    """What the roll brings to the nodes: another version, other settings, or a restart alone. @raise NoAnswer, Denied"""
    said = cluster.ask("/_nodes/http?filter_path=nodes.*.version").get("nodes", {}).values()
    if any(one["version"] != cluster.facts["version"] for one in said):
        return "version"
    unit = Unit(cluster.name)
    return "settings" if unit.mark("next") != unit.mark("current") else "bounce"


def names_of(cluster):
    """Open indexes that a snapshot has; ends with 77 where one has no copy that serves, since its snapshot would lack it."""
    state = cluster.ask(shards.STATE)
    red = sorted({shard[0] for shard, copies in shards.shards_of(state) if not shards.serving(copies)})
    if red:
        end(77, f"{some_of(red)} of {cluster.name} is red, and a snapshot would lack it; see docs/runbook.md, \"the search cluster is red\"")
    about = state.get("metadata", {}).get("indices", {})
    return sorted(name for name, one in about.items() if one.get("state") == "open" and not name.startswith(scratch.prefix_of(cluster.name)))


def mine(cluster, found):
    """The snapshot that this very run began before it was killed; None without one. By hand only one that still runs is gone on with."""
    for one in found:
        whose = one["metadata"].get("id")
        if whose == keeper.identity() and (one["state"] == "IN_PROGRESS" or one["state"] == "SUCCESS" and whose != "by-hand"):
            return one["snapshot"]
    return None


def begin(cluster):
    """Begin one, and return its name. What is there is counted first. @raise NoAnswer, Denied"""
    until(f"no snapshot or restore of others runs in {cluster.name}", SNAPSHOT_S, lambda: backup(cluster), PAUSE_S)
    first = counts.before(cluster, names_of(cluster))
    name = snapshots.name_of(cluster.name, time.time())
    write_file(record_of(cluster, name), json.dumps({"before": first}))
    keeper.require_claim()
    body = {
        "indices": f"*,-{scratch.prefix_of(cluster.name)}*",
        "include_global_state": False,
        "partial": False,
        "metadata": {
            **{"changeover": cluster.name, "cluster": cluster.ask("/")["cluster_uuid"], "id": keeper.identity()},
            **{"version": cluster.facts["version"], "documents": sum(one["docs"] for one in first.values())},
        },
    }
    try:
        cluster.put(f"{snapshots.PATH}/{name}?wait_for_completion=false", body, seconds=60)
    except Denied as error:
        # The first answer may have been lost, and another node asked again.
        if not re.search(r"already (exists|in-progress)|same name", error.full):
            raise
    narrate(f"snapshot {name} of {len(first)} indexes begins, {sum(one['docs'] for one in first.values())} documents")
    return name


def progress(cluster, name):
    said = cluster.ask(f"{snapshots.PATH}/{name}/_status?filter_path=snapshots.stats,snapshots.shards_stats", seconds=60)["snapshots"][0]
    stats, parts = said["stats"], said["shards_stats"]
    done = (stats.get("processed") or {}).get("size_in_bytes", stats["incremental"]["size_in_bytes"] if not parts["started"] else 0)
    return done, stats["incremental"]["size_in_bytes"], f"{parts['done']} of {parts['total']} shards"


def wait(cluster, name):
    """Until it has ended, with progress in bytes. Ends with 77 when it is not good. @raise Denied"""
    since = told = time.monotonic()
    while True:
        try:
            one = cluster.ask(f"{snapshots.PATH}/{name}", seconds=60)["snapshots"][0]
            if one["state"] in snapshots.ENDED:
                break
            if time.monotonic() - told > TELL_S:
                told = time.monotonic()
                done, whole, parts = progress(cluster, name)
                # Bytes are counted by whole files: the first few say nothing of the speed.
                rest = f", {lasting((whole - done) * (told - since) / done)} left" if done > whole * 0.1 else ""
                narrate(f"snapshot {name}: {human(done)} of {human(whole)}, {parts}{rest}")
        except NoAnswer as error:
            narrate(f"{cluster.name} does not say how far snapshot {name} is, it is asked again: {error}")
            time.sleep(2)
        time.sleep(PAUSE_S)
    if one["state"] != "SUCCESS":
        lost = snapshots.failures(one)
        end(77, f"snapshot {name} is {one['state']} (needed: SUCCESS): {lost}; mend that, then run npx pulumi up: it takes another one")
    return one


def finish(cluster, name):
    """Wait for a snapshot, count what there is now, and say it. @raise NoAnswer, Denied"""
    one = wait(cluster, name)
    record = read_record(cluster, name)
    if record.get("before") is not None and "after" not in record:
        last = counts.after(cluster, sorted(record["before"]))
        # What was not written since has nothing new to say.
        write_file(record_of(cluster, name), json.dumps({**record, "after": last}))
    stats = cluster.ask(f"{snapshots.PATH}/{name}/_status?filter_path=snapshots.stats", seconds=300)["snapshots"][0]["stats"]
    new, whole = stats["incremental"]["size_in_bytes"], stats["total"]["size_in_bytes"]
    seconds = max(0, one["end_time_in_millis"] - one["start_time_in_millis"]) / 1000
    docs = sum(about["docs"] for about in record.get("before", {}).values())
    prose = f"snapshot {name} is good: {len(one['indices'])} indexes, {human(whole)}, of which {human(new)} new, in {seconds:.1f} s"
    narrate(prose)
    return prose, {"snapshot": name, "taken": "yes", "bytes": whole, "new_bytes": new, "seconds": f"{seconds:.1f}", "documents": docs}


def take(cluster):
    name = mine(cluster, snapshots.own(cluster))
    if name:
        narrate(f"going on with snapshot {name}, which this run began")
    return finish(cluster, name or begin(cluster))


def before(cluster, kinds, minutes):
    """See that a good one is young enough before nodes restart. @raise NoAnswer, Denied"""
    kind = kind_of(cluster)
    if kind not in kinds:
        return f"no snapshot is needed before this restart of {cluster.name} (kind: {kind}; snapshots.before: {', '.join(kinds)})", {"taken": "no"}
    try:
        repository.ensure(cluster)
    except repository.NotYet:
        if kind == "version":
            end(77, f"no snapshot of {cluster.name} can be taken before the new version: its nodes get path.repo {cluster.facts['repo']} by this "
                "very restart. Run npx pulumi up with the old version first, or set snapshots.before to []")
        return f"no snapshot of {cluster.name} can be taken yet: this very restart brings path.repo to its nodes", {"taken": "no"}
    repository.verify(cluster)
    found = snapshots.own(cluster)
    young = snapshots.good(found)[:1]
    old = snapshots.age(cluster, young[0]["snapshot"]) if young else None
    if old is not None and old <= minutes * 60:
        name = young[0]["snapshot"]
        return f"snapshot {name} is {lasting(old).removeprefix('about ')} old (limit: {minutes} min), none is taken", {"taken": "no", "snapshot": name}
    return take(cluster)


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    if not (words[1:] == ["now"] or len(words) == 4 and words[1] == "before" and re.fullmatch(r"[a-z]+(,[a-z]+)*", words[2]) and words[3].isdigit()):
        end(64, f"take_snapshot.py takes CLUSTER now, or CLUSTER before KINDS MINUTES, got: {' '.join(words)}")
    keeper.end_with_parent()
    cluster = Cluster(load(words[0]))
    snapshots.location_of(cluster)
    try:
        prose, pairs = take(cluster) if words[1] == "now" else before(cluster, words[2].split(","), int(words[3]))
    except NoAnswer as error:
        end(75, f"{cluster.name} gives no answer: {error}")
    except Denied as error:
        end(77, f"{cluster.name} refuses: {error}")
    print(prose)
    for key, value in pairs.items():
        print(f"{key}={value}")


if __name__ == "__main__":
    main(sys.argv[1:])
