"""Snapshots of a search cluster in its own repository: names, ages, which is ours. Imported by the steps that take or restore one.

Ours is a snapshot whose name begins with `changeover-CLUSTER-` and whose metadata names the cluster; a person's own is never
touched. The name ends with the time (UTC) at which it began, so that its age is known without a file of the repository.
"""

import calendar
import re
import time

from cluster import Denied, end

REPOSITORY = "changeover"
PATH = f"/_snapshot/{REPOSITORY}"
ENDED = ("SUCCESS", "PARTIAL", "FAILED")
# A clock that is so far ahead says nothing about an age.
AHEAD_S = 300


def prefix_of(name):
    return f"changeover-{name}-"


def name_of(name, now):
    return prefix_of(name) + time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))


def began(name, snapshot):
    """When a snapshot of ours began, in seconds since 1970; None for a name of somebody else."""
    found = re.fullmatch(re.escape(prefix_of(name)) + r"(\d{8}-\d{6})", snapshot)
    try:
        return calendar.timegm(time.strptime(found[1], "%Y%m%d-%H%M%S")) if found else None
    except ValueError:
        return None


def location_of(cluster):
    """The folder of the stack file. Ends with 77 without one."""
    return cluster.facts.get("repo") or end(77, f"{cluster.name} has no snapshots (needed: snapshots.location); run npx pulumi up")


def registered(cluster):
    """The repository as the cluster has it; None when it has none. @raise NoAnswer, Denied"""
    try:
        return cluster.ask(PATH).get(REPOSITORY)
    except Denied as error:
        if error.status == 404:
            return None
        raise


def own(cluster):
    """Our snapshots, the newest first, with their metadata. @raise NoAnswer, Denied"""
    found = cluster.ask(f"{PATH}/{prefix_of(cluster.name)}*?ignore_unavailable=true", seconds=120).get("snapshots", [])
    ours = [one for one in found if (one.get("metadata") or {}).get("changeover") == cluster.name and began(cluster.name, one["snapshot"])]
    return sorted(ours, key=lambda one: (began(cluster.name, one["snapshot"]), one["snapshot"]), reverse=True)


def good(snapshots):
    return [one for one in snapshots if one["state"] == "SUCCESS"]


def age(cluster, snapshot, now=None):
    """Seconds since it began; None when its clock was ahead of this one's."""
    seconds = (time.time() if now is None else now) - began(cluster.name, snapshot)
    return None if seconds < -AHEAD_S else max(0, round(seconds))


def newest(cluster, said):
    """{name, age} of the newest good one, of the answer to a list without details; None without one."""
    names = [one["snapshot"] for one in said.get("snapshots", []) if one.get("state") == "SUCCESS" and began(cluster.name, one["snapshot"])]
    return {"name": max(names), "age": age(cluster, max(names))} if names else None


def failures(snapshot):
    """What a snapshot that is not good lacks, in words: each index once, with the reason of its first shard."""
    reasons = {}
    for one in snapshot.get("failures") or []:
        text = re.sub(r"\s+", " ", str(one.get("reason")))[:200]
        reasons.setdefault(one.get("index"), f"{one.get('index')}[{one.get('shard_id')}]: {text}")
    return "; ".join(list(reasons.values())[:3]) or str(snapshot.get("reason") or "no reason given")
