"""Waits with a deadline, in words. Imported by the steps of this folder."""

import time

from cluster import NoAnswer, end, narrate

# Seconds that the stack file gives; these where it gives none.
LIMITS = {"stop": 60, "start": 120, "join": 120, "cover": 1800}
SNAPSHOT_S = 300
NUDGE = "/_cluster/reroute?retry_failed=true&filter_path=acknowledged"
RUNNING = "/_cluster/state?filter_path=snapshots.snapshots.snapshot,snapshots.snapshots.state,restore.snapshots.snapshot"


def until(what, seconds, why, pause=0.1):
    """Ask `why` until it says nothing; past the deadline it ends with 75. A cluster without an answer is asked again."""
    deadline, told, last = time.monotonic() + seconds, time.monotonic() + 3, ""
    while True:
        try:
            last = why()
        except NoAnswer as error:
            last = str(error)
        if not last:
            return
        now = time.monotonic()
        if now > deadline:
            end(75, f"{what}: not so after {seconds} s: {last}")
        if now > told:
            narrate(f"waiting until {what}: {last}")
            told = now + 10
        time.sleep(pause)


def limits(facts):
    return LIMITS | facts.get("seconds", {})


def backup(cluster):
    """A snapshot or restore that runs, in words: shards stand still, and a node that stops would leave it partial."""
    said = cluster.ask(RUNNING)
    found = [("snapshot", one) for one in said.get("snapshots", {}).get("snapshots", [])]
    found += [("restore of", one) for one in said.get("restore", {}).get("snapshots", [])]
    return ", ".join(f"{what} {one.get('snapshot')} runs" for what, one in found)
