#!/usr/bin/env python3
"""Run a command that restarts a memcached server, and keep the server's entries.

Usage: keep.py HOST:PORT MIB COMMAND [WORD…]

All entries are read; changed ones are read again just before the command. After it, each entry is stored again unless
a client has stored its key meanwhile. At most MIB are kept. A server that does not answer is restarted empty. Prints one
line, with ` bad: ` where clearly less was kept than the server had. Ends with the command's exit code; 75: the server
does not answer after it.
"""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from node import Entry, Failed, Node, Rejected  # noqa: E402

BACK_S = 30
# The server counts entries that have expired too, so a few less are no loss.
ENOUGH = 0.9
PASSES, SHORT_S = 5, 0.5


class Held:
    """The entries that were read: by key the entry, and what the server listed of it (version, when it expires)."""

    def __init__(self, room):
        self.room, self.size = room, 0
        self.entries, self.listed = {}, {}
        self.left_out, self.passes = set(), 0

    def read(self, node):
        """Bring the entries up to date. Only a key that is asked for and missing is gone: a listing may be incomplete."""
        self.passes += 1
        now = node.keys()
        new = [key for key in now if self.listed.get(key) != now[key]]
        unlisted = [key for key in self.entries if key not in now]
        for key, entry in node.fetch(new + unlisted):
            self._take(key, entry)
        self.listed.update(now)

    def _take(self, key, entry):
        if isinstance(entry, Rejected):
            self.left_out.add(key)
            return
        self.left_out.discard(key)
        old = self.entries.pop(key, None)
        self.size -= len(old.value) if old else 0
        if entry and self.size + len(entry.value) <= self.room:
            self.size += len(entry.value)
            self.entries[key] = entry
        elif entry:
            self.left_out.add(key)


def store(place, entries):
    """Store the entries, except where a client has stored meanwhile. Returns (entries that are there, why some are not)."""
    deadline, todo, there, why = time.monotonic() + BACK_S, dict(entries), 0, ""
    while True:
        try:
            with Node(place) as node:
                for entry, version in node.put((entry, b"ME") for entry in list(todo.values())):
                    del todo[entry.key]
                    why = str(version) if isinstance(version, Rejected) else why
                    there += not isinstance(version, Rejected)
                evicted = int(node.stats()["evictions"])
                return max(0, there - evicted), f"{evicted} had no room after it" if evicted else why
        except Failed as error:
            if time.monotonic() > deadline:
                print(f"{error}, {BACK_S} s after its restart", file=sys.stderr)
                sys.exit(75)
            time.sleep(0.02)


def read_all(held, node):
    """Read until little time is left in which a change would be missed."""
    for _ in range(PASSES):
        began = time.monotonic()
        held.read(node)
        if held.passes > 1 and time.monotonic() - began < SHORT_S:
            return


def receipt(held, had, there, why):
    """What was kept, in words. `had`: entries that the server counted."""
    line = f"{there} of {len(held.entries) + len(held.left_out)} entries kept"
    if there >= ENOUGH * had:
        return line
    return f"{line}, bad: the server counted {had} before{'; ' + why if why else ''}"


def main():
    if len(sys.argv) < 4:
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    place, held, had = sys.argv[1], Held(int(sys.argv[2]) * 1024 * 1024), 0
    try:
        with Node(place) as node:
            read_all(held, node)
            had = int(node.stats()["curr_items"])
    except Failed as error:
        print(f"{error}; {len(held.entries)} entries were read", file=sys.stderr)
    code = subprocess.run(sys.argv[3:], check=False, stdout=sys.stderr).returncode
    if code != 0:
        sys.exit(code)
    there, why = store(place, held.entries) if held.entries else (0, "")
    print(receipt(held, had, there, why))


main()
