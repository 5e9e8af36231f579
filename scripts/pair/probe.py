#!/usr/bin/env python3
"""Print the facts of a pair on this machine as one line of JSON. Read-only.

Usage: probe.py PAIR [SERVICE-ADDRESS | belongings]

SERVICE-ADDRESS is for a machine that is not configured yet. `belongings`: also what a
switch would lose or leave behind, from all databases, which takes longer.
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
    print(__doc__)
    sys.exit(0 if sys.argv[1:] == ["--help"] else 64)

from belongings import belongings  # noqa: E402
from facts import facts  # noqa: E402


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


asked = sys.argv[2:] == ["belongings"]
found = facts(sys.argv[1], *([] if asked else sys.argv[2:]))
extra = {"belongings": belongings(sys.argv[1])} if asked and found["postgres"] == "running" else {}
print(json.dumps({**found, **extra, "client": client()}))
