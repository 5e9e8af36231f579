"""Whether a machine of a pair may serve now: the first row of guard.json that fits decides.

A machine is told apart by the epoch at which it was last made production, which a takeover writes down before it
promotes. So the one that was production before, and was dead, cut off or frozen meanwhile, finds out by asking.
"""

import json
import os

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guard.json")


def features(own, peer, started):
    """@param peer standing of the other machine, None when it gives no answer."""
    role = "none" if not own["whole"] else "standby" if own["standby_signal"] else "writer"
    other = "silent"
    if peer:
        other = "older"
        if peer["serving"] > own["serving"]:
            # It writes that down before it asks for this machine and promotes; until then it is a standby.
            other = "intends" if peer["standby_signal"] else "newer"
        if peer["serving"] == own["serving"] > 0 and peer["serving_id"] != own["serving_id"]:
            other = "conflict"
    return {
        "role": role,
        "runs": own["runs"],
        "down": own["down"] is not None,
        "alone": own["alone"] > 0,
        "started": started,
        "other": other,
        "otherServes": bool(peer) and (peer["holds_address"] or (peer["runs"] and not peer["standby_signal"])),
    }


def decide(seen):
    """(act, why) of the table."""
    with open(TABLE, encoding="utf8") as file:
        for row in json.load(file):
            if all(seen[key] == value for key, value in row["when"].items()):
                return row["then"], row["why"]
    raise LookupError(f"guard.json has no row for {seen}")
