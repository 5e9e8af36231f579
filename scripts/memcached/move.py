#!/usr/bin/env python3
"""Move the entries that a change of the ring assigns to another node, so that no client misses them.

Usage: move.py before CACHE SECONDS RECORD PLACE…
       move.py after CACHE SECONDS RECORD SETTLE

PLACEs are the nodes of the new ring; the old ring is in this host's file. `before` the clients get the new ring, all
entries that move are copied, and RECORD lists them. `after` that, programs that have not read the new ring still change
and remove entries at the old node. For SETTLE seconds these changes are repeated at the new node, unless a client has
stored the key there. Then the old copies are removed. A node that does not answer is left out. After SECONDS the rest
stays where it is. Prints one line.
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

ROUND_S = 0.1


class Late(Exception):
    """The time limit is reached."""


class Move:
    """From one ring to another. `copied` has by key the versions of the old copy and the new one (None: a client's)."""

    def __init__(self, old, new, copied, seconds):
        self.old, self.new, self.copied = Ring(old), Ring(new), copied
        self.deadline = time.monotonic() + seconds
        self.nodes = {place: Node(place) for place in {*old, *new}}
        self.stored = set()
        self.wrong = set()

    def each(self, act):
        """
        Call `act` with every entry that moves: old node, key, version, new node. Returns the keys; None when a node did
        not answer.
        """
        keys = set()
        for place in self.old.places:
            node = self.nodes[place]
            try:
                for key, version in node.keys():
                    to = self.new.owner(key)
                    if to == place or self.old.owner(key) != place:
                        continue
                    if time.monotonic() > self.deadline:
                        raise Late
                    keys.add(key)
                    act(node, key, version, self.nodes[to])
            except Failed as error:
                self.wrong.add(str(error))
        return None if self.wrong else keys

    def copy(self, node, key, _, to):
        """No client asks the new node for the key yet, so an old value there is overwritten."""
        self._store(node, key, to, b"MS")

    def follow(self, node, key, version, to):
        """Repeat a change of the old copy at the new one, unless a client has changed the new one."""
        before, copy = self.copied.get(key, (None, None))
        if before is None:
            self._store(node, key, to, b"ME")
        elif before != version and copy is not None:
            self._store(node, key, to, b"C%d" % copy)

    def drop(self, node, key, version, _):
        if key in self.copied and self.copied[key][0] == version:
            node.drop(key, version)

    def drop_the_dropped(self, keys):
        """An entry that is missing at the old node was removed there, for example when a user logs out."""
        for key in [key for key in self.copied if key not in keys]:
            _, copy = self.copied.pop(key)
            if copy is not None:
                self.nodes[self.new.owner(key)].drop(key, copy)

    def _store(self, node, key, to, how):
        entry = node.fetch(key)
        if entry:
            version = to.put(entry, how)
            self.copied[key] = (entry.version, version)
            self.stored.update([key] if version is not None else [])


def read_record(path):
    try:
        with open(path, encoding="utf8") as file:
            record = json.load(file)
    except (OSError, ValueError):
        return [], {}
    return record["old"], {base64.b64decode(key): tuple(versions) for key, versions in record["copied"].items()}


def write_record(path, old, copied):
    by_key = {base64.b64encode(key).decode(): versions for key, versions in copied.items()}
    with open(f"{path}.new", "w", encoding="utf8") as file:
        json.dump({"old": old, "copied": by_key}, file)
    os.replace(f"{path}.new", path)


def settle(move, seconds):
    """Repeat the changes of programs that have not read the new ring."""
    end = min(time.monotonic() + seconds, move.deadline)
    while True:
        last = time.monotonic() >= end
        keys = move.each(move.follow)
        if keys is not None:
            move.drop_the_dropped(keys)
        if last:
            move.each(move.drop)
            return
        time.sleep(ROUND_S)


def main():
    words = sys.argv[1:]
    if len(words) < 5 or words[0] not in ("before", "after"):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    when, cache, seconds, record = words[0], words[1], int(words[2]), words[3]
    here = places_in(text_of_ring(cache))
    (old, copied), new = ((here, {}), words[4:]) if when == "before" else (read_record(record), here)
    if seconds == 0 or not old or not new or sorted(old) == sorted(new):
        print("no entry moves")
        return
    move, late = Move(old, new, copied, seconds), ""
    try:
        if when == "before":
            move.each(move.copy)
        else:
            settle(move, int(words[4]))
    except Late:
        late = f"; the rest stays at its old node after {seconds} s"
    except Failed as error:
        move.wrong.add(str(error))
    if when == "before":
        write_record(record, old, move.copied)
    done = "copied to other nodes" if when == "before" else "changed later and copied again"
    print(f"{len(move.stored)} entries {done}{late}{''.join(f'; {why}' for why in sorted(move.wrong))}")


main()
