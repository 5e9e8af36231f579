"""The exclusion of one node while it is emptied: a lease of `settings.py`, one for each node. Exclusions of others stay."""

import time

import allocation
import leases
import packing
import settings

SPEED = "indices.recovery.max_bytes_per_sec"


def lease_of(node):
    return f"drain-{node}"


def holder(node, seconds):
    """The drain of a node is the same for every run: a later transition goes on with it."""
    return {**settings.who(f"drain of {node}", seconds), "id": lease_of(node)}


def of(cluster, node):
    """The record of the drain, with `total` bytes at its start; None when the node is not being emptied."""
    return leases.records(settings.read(cluster, file=False), cluster.name).get(lease_of(node))


def address_of(cluster, seen, node):
    """What the allocator compares `exclude._ip` with: the address that the node publishes, or the configured one when it is gone."""
    own = allocation.named(seen["nodes"], node)
    return seen["nodes"][own]["ip"] if own else cluster.nodes[node]["address"]


def speed(mibps):
    return {SPEED: f"{mibps}mb"} if mibps else {}


def begin(cluster, seen, node, seconds, mibps, judged):
    """One PUT: the exclusion, awareness lifted where copies have no other place, the speed, and what was found."""
    values = {**speed(mibps), **({packing.AWARENESS: ""} if judged["lift_awareness"] else {})}
    more = {"total": judged["bytes"], "began": f"{time.time():.3f}"}
    lists = {leases.EXCLUDE: [address_of(cluster, seen, node)]}
    settings.take(cluster, lease_of(node), holder(node, seconds), values, lists, more=more)


def go_on(cluster, seen, node, seconds, mibps):
    """The same drain again: what it found first is kept, the exclusion is put back when somebody overwrote it."""
    lists = {leases.EXCLUDE: [address_of(cluster, seen, node)]}
    settings.take(cluster, lease_of(node), holder(node, seconds), speed(mibps), lists)


def renew(cluster, seen, node, record):
    """Renew the lease; say the exclusion again when it has no effect any more."""
    wanted = address_of(cluster, seen, node)
    if wanted in leases.entries(seen["settings"].get(leases.EXCLUDE)):
        settings.renew(cluster, lease_of(node), record["id"])
    else:
        settings.take(cluster, lease_of(node), holder(node, record["seconds"]), None, {leases.EXCLUDE: [wanted]})


def give_back(cluster, node):
    """Whether there was something to give back."""
    return settings.give_back(cluster, lease_of(node)) is not None
