"""Whether a machine of a pair may serve now: the first matching row of guard.json decides.

Each machine records the epoch at which it was last made production, before its promotion. An old production that was
dead, cut off or frozen meanwhile asks its peer, and learns of the higher epoch.
"""

import json
import os

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guard.json")


def features(own, peer, started):
    """What the table looks at. @param peer the role of the peer; None when the peer does not answer."""
    # A server that runs accepts writes also when the records of its cluster are lost.
    role = "none" if not own["whole"] and (own["half_made"] or not own["runs"]) else "standby" if own["standby_signal"] else "writer"
    other = "silent"
    if peer:
        other = "older"
        if peer["serving"] > own["serving"]:
            # The peer records its epoch before it promotes; until the promotion it is a standby.
            other = "intends" if peer["standby_signal"] else "newer"
        if peer["serving"] == own["serving"] > 0 and peer["serving_id"] != own["serving_id"]:
            other = "conflict"
    return {
        "role": role,
        "runs": own["runs"],
        "down": own["down"] is not None,
        "alone": own["alone"] > 0,
        "copy": own["copy"],
        "started": started,
        "other": other,
        "otherServes": bool(peer) and (peer["holds_address"] or (peer["runs"] and not peer["standby_signal"])),
    }


def decide(seen):
    """(act, why) of the first matching row."""
    with open(TABLE, encoding="utf8") as file:
        for row in json.load(file):
            if all(seen[key] == value for key, value in row["when"].items()):
                return row["then"], row["why"]
    raise LookupError(f"guard.json has no row for {seen}")
