#!/usr/bin/env python3
"""Copy the entries that a change of the ring gives to another node, so that no client misses them.

Usage: move.py before|after CACHE SECONDS RECORD PLACE…

PLACEs are the nodes of the ring that is to be; the one that is stands in this machine's file. `before` the clients
have it, all entries that move are copied and RECORD says which. `after` it, what was changed or removed meanwhile
is changed and removed there too, where no client has stored since; then the old copies are removed. A node that
does not answer gives nothing; after SECONDS the rest is left where it is. One line on stdout.
"""

import base64
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from node import Failed, Node  # noqa: E402
from ring import Ring, places_in, text_of_ring  # noqa: E402


class Late(Exception):
    """The time is up."""


class Move:
    """From one ring to another. `copied` has, by key, the versions of the old and of the new copy."""

    def __init__(self, old, new, copied, seconds):
        self.old, self.new, self.copied = Ring(old), Ring(new), copied
        self.deadline = time.monotonic() + seconds
        self.nodes = {place: Node(place) for place in {*old, *new}}
        self.moved = 0

    def each(self, act):
        """Call `act` with every entry that moves: (old node, its key, its version, new node)."""
        wrong = []
        for place in self.old.places:
            node = self.nodes[place]
            try:
                for key, version in node.keys():
                    to = self.new.owner(key)
                    if to == place or self.old.owner(key) != place:
                        continue
                    if time.monotonic() > self.deadline:
                        raise Late
                    act(node, key, version, self.nodes[to])
            except Failed as error:
                wrong.append(str(error))
        return wrong

    def copy(self, node, key, version, to):
        """Nobody looks there for the key before the change, so what lies there is nobody's."""
        entry = node.fetch(key)
        stored = entry and to.put(entry, b"MS")
        if stored:
            self.copied[key] = (entry.version, stored)
            self.moved += 1

    def catch_up(self, node, key, version, to):
        before, copy = self.copied.pop(key, (None, None))
        if before != version:
            entry = node.fetch(key)
            if entry:
                self.moved += to.put(entry, b"ME" if copy is None else b"C%d" % copy) is not None
                version = entry.version
        node.drop(key, version)

    def drop_the_dropped(self):
        """What is left in `copied` was removed where it was, a session by its user for example."""
        for key, (_, copy) in self.copied.items():
            self.nodes[self.new.owner(key)].drop(key, copy)


def read_record(path):
    try:
        with open(path, encoding="utf8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return [], {}
    return found["old"], {base64.b64decode(key): tuple(both) for key, both in found["copied"].items()}


def write_record(path, old, copied):
    with open(f"{path}.new", "w", encoding="utf8") as file:
        json.dump({"old": old, "copied": {base64.b64encode(key).decode(): both for key, both in copied.items()}}, file)
    os.replace(f"{path}.new", path)


def run(when, cache, seconds, record, new):
    old, copied = read_record(record) if when == "after" else (places_in(text_of_ring(cache)), {})
    if not old or sorted(old) == sorted(new):
        return "nothing moves"
    move = Move(old, new, copied, seconds)
    late = ""
    try:
        wrong = move.each(move.copy if when == "before" else move.catch_up)
        # Of a node that said nothing nobody knows what was removed.
        if when == "after" and not wrong:
            move.drop_the_dropped()
    except Late:
        wrong, late = [], f"; after {seconds} s the rest is left"
    except Failed as error:
        wrong = [str(error)]
    if when == "before":
        write_record(record, old, move.copied)
    return f"{move.moved} entries {'copied' if when == 'before' else 'followed'}{late}{''.join(f'; {why}' for why in wrong)}"


if len(sys.argv) < 6 or sys.argv[1] not in ("before", "after"):
    print(__doc__)
    sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
print(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5:]))
