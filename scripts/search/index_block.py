"""Block the writes of an index for a while. Whoever ends the block early makes the swap that waits behind it impossible.

The record of the lease names the index, and a token: an alias on the new index that the swap takes away as its first act,
and which must exist then. `let_go` takes the token away before the block, so no swap follows a write that came after it.
"""

import re
import time

from cluster import Denied

NAME = r"[a-z0-9.][a-z0-9._-]{0,254}"


def words_of(index, dest, token, blocks):
    """What a lease's record says of it. blocks: whether the block is ours to take away."""
    return {"block": {"index": index, "dest": dest, "token": token, "blocks": blocks}}


def unless_gone(cluster, path, body, method):
    try:
        cluster.ask(path, body, method)
    except Denied as error:
        if error.status != 404:
            raise


def let_go(cluster, record):
    """End the block that a lease's record names; nothing for other leases. @raise NoAnswer, Denied."""
    said = record.get("block")
    if not isinstance(said, dict) or not all(re.fullmatch(NAME, str(said.get(key))) for key in ("index", "dest", "token")):
        return
    remove = {"actions": [{"remove": {"index": said["dest"], "alias": said["token"], "must_exist": True}}]}
    unless_gone(cluster, "/_aliases", remove, "POST")
    if said.get("blocks"):
        unless_gone(cluster, f"/{said['index']}/_settings", {"index.blocks.write": None}, "PUT")


def hold(cluster, said):
    """Put the token in place, then the block. What was being written has ended when this returns.

    Gives when the block was asked for, by the monotonic clock. @raise NoAnswer, Denied."""
    cluster.ask("/_aliases", {"actions": [{"add": {"index": said["dest"], "alias": said["token"]}}]}, "POST")
    began = time.monotonic()
    if said["blocks"]:
        answer = cluster.put(f"/{said['index']}/_block/write", {})
        if not (answer.get("acknowledged") and all(one.get("blocked") for one in answer.get("indices", []))):
            raise Denied(500, f"{said['index']} was not blocked on every node")
    return began
