#!/usr/bin/env python3
"""Print the facts of a pair on this machine as one line of JSON. Read-only.

Usage: probe.py PAIR [SERVICE-ADDRESS | belongings]

SERVICE-ADDRESS is for a machine that is not configured yet. `belongings`: also what a
switch would lose or leave behind, from all databases, which takes longer.
"""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
sys.dont_write_bytecode = True

if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
    print(__doc__)
    sys.exit(0 if sys.argv[1:] == ["--help"] else 64)

import rules  # noqa: E402
from belongings import belongings  # noqa: E402
from facts import facts  # noqa: E402
from package_stop import mark_of  # noqa: E402
from role import PG_MAJOR  # noqa: E402


def client():
    """The address that this look comes from, as this machine sees it; None without SSH. `sudo` keeps it from us, but not from our parents."""
    pid = "self"
    try:
        while pid != "0":
            with open(f"/proc/{pid}/environ", "rb") as file:
                for line in file.read().split(b"\0"):
                    if line.startswith(b"SSH_CONNECTION="):
                        return line.split(b"=", 1)[1].split()[0].decode()
            with open(f"/proc/{pid}/stat", encoding="utf8") as file:
                pid = file.read().rsplit(")", 1)[1].split()[1]
    except (OSError, IndexError, UnicodeDecodeError):
        pass
    return None


def peer_port(pair, configured):
    """Whether the rules that admit only the peer to its port are loaded; None where they can't be asked."""
    try:
        return rules.state(f"changeover-peer-{pair}") if configured else None
    except (OSError, subprocess.SubprocessError):
        return None


def stopped_by_hand(pair, seen):
    """The unit of a server that ran at this boot and then was stopped by a person, which the watch leaves alone; None for any other."""
    whole = seen["cluster"] == "ours" and not (seen["down"] or seen["half_made"] or seen["unusable"])
    ran = os.path.exists(f"/run/changeover-{pair}.started") and not os.path.exists(mark_of(pair))
    return f"postgresql@{PG_MAJOR}-{pair}" if whole and ran and seen["postgres"] == "stopped" else None


asked = sys.argv[2:] == ["belongings"]
found = facts(sys.argv[1], *([] if asked else sys.argv[2:]))
extra = {"belongings": belongings(sys.argv[1])} if asked and found["postgres"] == "running" else {}
extra["peer_port"] = peer_port(sys.argv[1], found["configured"])
extra["stopped_by_hand"] = stopped_by_hand(sys.argv[1], found)
print(json.dumps({**found, **extra, "client": client()}))
