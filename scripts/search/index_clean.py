#!/usr/bin/env python3
"""Delete what is behind an alias no more: copies that never served, and old ones beyond those kept. The Python half of clean-index.sh.

Usage: index_clean.py CLUSTER ALIAS KEEP VERSION     KEEP: so many old ones stay as the way back

Only indexes that this program made, and never one that an alias names. Ends with 0, 64, 75 or 77.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import index_goal  # noqa: E402
import index_task  # noqa: E402
import indexes  # noqa: E402
import keeper  # noqa: E402
import settings  # noqa: E402
from cluster import end  # noqa: E402
from index_create import token_of  # noqa: E402

REQUEST_S = 60


def surplus(found, serving, token, keep):
    """(indexes to delete, old ones that stay): never one with an alias; of the others the newest `keep` that have served stay. Pure."""
    free = {name: one for name, one in found.items() if name != serving and not set(one["aliases"]) - {token}}
    served = [name for name, one in free.items() if indexes.note_of(one).get("served")]
    served.sort(key=lambda name: -int(free[name]["settings"]["index.creation_date"]))
    return sorted({*free} - {*served[:keep]}), served[:keep]


def clean(cluster, goal):
    settings.outwait(cluster, goal.lease, keeper.identity())
    settings.give_back(cluster, goal.lease, keeper.identity())
    serving, _ = indexes.serving(cluster, goal.alias)
    if serving is None:
        end(77, f"{goal.alias} names no index; nothing is deleted; start again: npx pulumi up --replace for this transition's id")
    found = indexes.family(cluster, goal.alias)
    gone, kept = surplus(found, serving, token_of(goal), goal.number)
    for name in gone:
        index_task.cancel(cluster, index_task.mark_of(cluster, goal.alias, indexes.note_of(found[name])["version"]))
        keeper.require_claim()
        # What an alias names since the look stays.
        now = indexes.about(cluster, name)
        if now is not None and not set(now["aliases"]) - {token_of(goal)}:
            cluster.ask(f"/{name}", None, "DELETE", REQUEST_S)
    words = f"deleted: {', '.join(gone)}" if gone else "nothing was to be deleted"
    stays = f"; the way back is {', '.join(kept)}" if kept else ""
    return f"{goal.alias} is {serving}; {words}{stays}", {"deleted": len(gone), "kept": ",".join(kept) or "none"}


if __name__ == "__main__":
    index_goal.main(__doc__, ("alias", "number", "version"), clean)
