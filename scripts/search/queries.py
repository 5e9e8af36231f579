#!/usr/bin/env python3
"""Name the searches of a cluster that run for long, and cancel them. The Python half of list-queries.sh and cancel-queries.sh.

Usage: queries.py CLUSTER list SECONDS
       queries.py CLUSTER cancel SECONDS

Meant are searches of programs alone: no write, recovery or snapshot, and no search that belongs to a reindex. Prints a line of prose, then
key=value a line. Ends with 0, 64, 75 or 77.
"""

import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import keeper  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load, narrate  # noqa: E402

TASKS = "/_tasks?actions=indices:data/read/*search*,indices:data/read/scroll*"
ACTION = r"indices:data/read/(search|msearch|scroll|async_search/submit|search/template|msearch/template)"
QUERY_MOST, NAMED_MOST, GONE_S = 200, 5, 30


def one_line(text, most):
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", str(text))[:most]


def tasks_of(said):
    """(id, name of its node, task) of each task of an answer."""
    for node in said.get("nodes", {}).values():
        for task_id, task in node.get("tasks", {}).items():
            yield task_id, node.get("name", "?"), task


def slow_of(said, seconds):
    """Searches that a program asked for and that run longer, oldest first. One with a parent belongs to something else."""
    found = []
    for task_id, node, task in tasks_of(said):
        age = task.get("running_time_in_nanos", 0) / 1e9
        if task.get("parent_task_id") or age < seconds or not re.fullmatch(ACTION, task.get("action", "")):
            continue
        words = task.get("description") or ""
        index, source = re.search(r"indices\[([^\]]*)\]", words), re.search(r"source\[(.*)\]", words, re.S)
        found.append(
            {
                "id": task_id,
                "node": node,
                "seconds": age,
                "index": one_line(index[1] if index else "", 80) or "all indexes",
                "query": one_line(source[1] if source else words, QUERY_MOST),
                "by": one_line(task.get("headers", {}).get("X-Opaque-Id", ""), 80),
                "cancellable": bool(task.get("cancellable")),
            }
        )
    return sorted(found, key=lambda one: -one["seconds"])


def slow(cluster, seconds):
    """@raise NoAnswer, Denied"""
    return slow_of(cluster.ask(f"{TASKS}&detailed=true", seconds=30), seconds)


def words_of(found):
    by = f', asked by {found["by"]}' if found["by"] else ""
    return f'{found["id"]} on {found["node"]}, {found["seconds"]:.0f} s{by}, {found["index"]}: {found["query"]}'


def listed(found):
    more = f" And {len(found) - NAMED_MOST} more." if len(found) > NAMED_MOST else ""
    return "; ".join(words_of(one) for one in found[:NAMED_MOST]) + more


def count_here(cluster):
    """How many slow searches this host's node coordinates; None where the stack file does not ask, or without an answer."""
    seconds = cluster.facts.get("slow_seconds")
    if seconds is None:
        return None
    try:
        return len(slow_of(cluster.at(cluster.own, f"{TASKS}&nodes=_local&detailed=true", seconds=3), seconds))
    except (NoAnswer, Denied):
        return None


def show(cluster, seconds):
    found = slow(cluster, seconds)
    for one in found:
        narrate(words_of(one))
    return f"{len(found)} searches run longer than {seconds} s{': ' + listed(found) if found else ''}", {"slow": len(found)}


def cancel(cluster, seconds):
    found = slow(cluster, seconds)
    able = [one for one in found if one["cancellable"]]
    for one in able:
        narrate(f"cancelling {words_of(one)}")
        keeper.require_claim()
        try:
            cluster.ask(f"/_tasks/{one['id']}/_cancel", method="POST", seconds=30)
        except Denied as error:
            if error.status != 404:
                raise
    wait_gone(cluster, able)
    stuck = [one for one in found if not one["cancellable"]]
    if stuck:
        end(77, f"{len(able)} searches of {cluster.name} have ended; {len(stuck)} can't be cancelled: {listed(stuck)}; restart {stuck[0]['node']} if they hold it up: set bounce")
    prose = f"{len(able)} searches that ran longer than {seconds} s have ended: {listed(able)}" if able else f"no search of {cluster.name} runs longer than {seconds} s"
    return prose, {"cancelled": len(able), "ids": ",".join(one["id"] for one in able[:50])}


def wait_gone(cluster, wanted):
    """Until the searches and what they began on other nodes have ended: a cancelled one looks up at its next batch."""
    ids, deadline = {one["id"] for one in wanted}, time.monotonic() + GONE_S
    while ids:
        left = {task_id for task_id, _, task in tasks_of(cluster.ask(TASKS, seconds=30)) if task_id in ids or task.get("parent_task_id") in ids}
        if not left:
            return
        if time.monotonic() > deadline:
            names = [one for one in wanted if one["id"] in left] or wanted
            end(75, f"cancelled searches of {cluster.name} still run after {GONE_S} s: {listed(names)}; run npx pulumi up again")
        time.sleep(0.3)


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    if len(words) != 3 or words[1] not in ("list", "cancel") or not re.fullmatch(r"\d{1,5}", words[2]):
        end(64, f"queries.py takes CLUSTER list|cancel SECONDS, got: {' '.join(words)}")
    keeper.end_with_parent()
    cluster = Cluster(load(words[0]))
    try:
        prose, pairs = {"list": show, "cancel": cancel}[words[1]](cluster, int(words[2]))
    except NoAnswer as error:
        end(75, f"{cluster.name} gives no answer: {error}")
    except Denied as error:
        end(77, f"{cluster.name} refuses: {error}")
    print("\n".join([prose, *(f"{key}={value}" for key, value in pairs.items())]))


if __name__ == "__main__":
    main(sys.argv[1:])
