#!/usr/bin/env python3
"""Describe this host's part of a cache: one line of JSON on stdout. Read-only.

Usage: probe.py COMPONENT CACHE PORT [ADDRESS]
"""

import json
import os
import re
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
sys.dont_write_bytecode = True

from node import Failed, Node  # noqa: E402
import rules  # noqa: E402
from records import records_of, text_of  # noqa: E402
from ring import digest, ring_file, text_of_ring  # noqa: E402

LIMIT_S = 3


def output(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def unit_of(pid):
    """The unit that a process belongs to."""
    return (text_of(f"/proc/{pid}/cgroup") or "").rsplit("/", 1)[-1]


def listeners(cache, port, address):
    """(addresses of the cache's own memcached, other programs that block the port)."""
    own, others = [], []
    for line in output("ss", "-Hltnp", f"sport = :{port}").splitlines():
        place = line.split()[3].rsplit(":", 1)[0]
        process = re.search(r'"([^"]+)",pid=(\d+)', line)
        name, unit = (process[1], unit_of(process[2])) if process else ("an unknown program", "")
        if unit == f"changeover-memcached-{cache}.service":
            own.append(place)
        elif place in ("0.0.0.0", "*", "[::]", "127.0.0.1", address):
            others.append(f"{name} ({unit or 'no unit'}) on {place}")
    return own, others


def items(port):
    try:
        with Node(f"127.0.0.1:{port}", 1) as node:
            return int(node.stats()["curr_items"])
    except Failed:
        return None


def free_mib():
    available = re.search(r"MemAvailable: +(\d+)", text_of("/proc/meminfo") or "")
    return int(available[1]) // 1024 if available else None


def describe(component, cache, port, address=None):
    own, others = listeners(cache, port, address)
    ring = text_of_ring(cache)
    recorded = (text_of(f"{ring_file(cache)}.sha256") or "").split(" ")[0]
    return {
        "host": socket.gethostname(),
        **records_of(component),
        "listens": own,
        "in_the_way": others,
        "items": items(port) if own else None,
        "rules": rules.state(f"changeover-memcached-{cache}") if own else None,
        "ring": None if ring is None else digest(ring),
        "ring_recorded": recorded or None,
        "free_mib": free_mib(),
    }


if len(sys.argv) not in (4, 5) or sys.argv[1].startswith("-"):
    print(__doc__)
    sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
print(json.dumps(describe(*sys.argv[1:])))
