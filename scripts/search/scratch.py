"""Scratch indexes of a restore rehearsal, and how they go away. Imported by the rehearsal, and by the watch when nobody comes back."""

from cluster import Denied

LEASE, LEASE_S = "rehearsal", 60


def prefix_of(name):
    """No cluster has a hyphen in its name, so no other one's scratch indexes begin so."""
    return f"changeover-rehearsal-{name}-"


def remove(cluster):
    """Delete each scratch index by its own name. Returns (deleted, kept): one with an alias is in use by somebody. @raise NoAnswer, Denied"""
    start = prefix_of(cluster.name)
    said = cluster.ask("/_cluster/state/metadata?filter_path=metadata.indices.*.state,metadata.indices.*.aliases")
    found = {name: about for name, about in said.get("metadata", {}).get("indices", {}).items() if name.startswith(start)}
    kept = sorted(name for name, about in found.items() if about.get("aliases"))
    deleted = []
    for name in sorted(set(found) - set(kept)):
        try:
            cluster.ask(f"/{name}", method="DELETE", seconds=30)
            deleted.append(name)
        except Denied as error:
            if error.status != 404:
                raise
    return deleted, kept
