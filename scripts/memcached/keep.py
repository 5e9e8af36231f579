#!/usr/bin/env python3
"""Run a command that restarts a memcached server, and keep the server's entries.

Usage: keep.py HOST:PORT MIB COMMAND [WORD…]

All entries are read; changed ones are read again just before the command. After it, each entry is stored again unless
a client has stored its key meanwhile. At most MIB are kept. A server that does not answer is restarted empty. Ends with
the command's exit code; prints one line.
"""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from node import Failed, Node  # noqa: E402

BACK_S = 30


def read(node, held, room):
    """Bring `held` up to date. Returns how many entries did not fit."""
    left_out = 0
    now = dict(node.keys())
    for key in [key for key in held if key not in now]:
        del held[key]
    size = sum(len(entry.value) for entry in held.values())
    for key, version in now.items():
        if key in held and held[key].version == version:
            continue
        entry = node.fetch(key)
        if entry and size + len(entry.value) <= room:
            size += len(entry.value)
            held[key] = entry
        elif entry:
            left_out += 1
    return left_out


def store(place, held, read_at):
    """Store the held entries, except where a client has stored meanwhile. Returns how many were stored."""
    deadline = time.monotonic() + BACK_S
    while True:
        try:
            with Node(place) as node:
                node.version()
                age = int(time.monotonic() - read_at)
                return sum(node.put(entry, age=age) is not None for entry in held.values())
        except Failed:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def main():
    if len(sys.argv) < 4:
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    place, room = sys.argv[1], int(sys.argv[2]) * 1024 * 1024
    held, left_out, read_at = {}, 0, time.monotonic()
    try:
        with Node(place) as node:
            read(node, held, room)
            read_at = time.monotonic()
            left_out = read(node, held, room)
    except Failed as error:
        print(f"{error}; no entry was read", file=sys.stderr)
    code = subprocess.run(sys.argv[3:], check=False, stdout=sys.stderr).returncode
    if code != 0:
        sys.exit(code)
    stored = store(place, held, read_at) if held else 0
    print(f"{stored} of {len(held) + left_out} entries kept")


main()
