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
import glob
import json
import os
import sys
import time
from collections import defaultdict

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from node import Entry, Failed, Node, Rejected  # noqa: E402
from ring import Ring, places_in, text_of_ring  # noqa: E402

ROUND_S, CHUNK, LAST_ROUNDS = 0.1, 256, 3


class Late(Exception):
    """The time limit is reached."""


class Move:
    """
    From one ring to another. `copied` has by key what the old node listed (version, when it expires) and the version of the
    new copy; None: a client's, or none. Once a client may have the new ring, no value of it is overwritten.
    """

    def __init__(self, old, new, copied, seconds, first):
        self.old, self.new, self.copied, self.first = Ring(old), Ring(new), copied, first
        self.deadline = time.monotonic() + seconds
        self.nodes = {place: Node(place) for place in {*old, *new}}
        self.stored, self.wrong, self.dead = set(), set(), set()

    def listed(self):
        """By old node: what it lists of the keys that move. A node that does not answer is left out."""
        for place in self.old.places:
            try:
                keys = self.nodes[place].keys()
            except Failed as error:
                self.wrong.add(str(error))
                continue
            yield place, {
                key: seen
                for key, seen in keys.items()
                if self.old.owner(key) == place and self.new.owner(key) != place
            }

    def bring(self):
        """Bring the new copies up to date. Only an entry that its old node is asked for, and does not have, is removed."""
        for place, listed in self.listed():
            known = [key for key in self.copied if self.old.owner(key) == place]
            changed = [key for key, seen in listed.items() if self.copied.get(key, (None, None))[0] != seen]
            gone = [key for key in known if key not in listed]
            for keys in chunks(changed + gone):
                self.in_time()
                try:
                    self._copy(self.nodes[place], keys, listed)
                except Failed as error:
                    self.wrong.add(str(error))
                    break

    def in_time(self):
        if time.monotonic() > self.deadline:
            raise Late

    def _copy(self, node, keys, listed):
        to, removed = defaultdict(list), defaultdict(list)
        for key, entry in node.fetch(keys):
            seen, copy = self.copied.get(key, (None, None))
            if isinstance(entry, Entry):
                if seen is None or copy is not None:
                    to[self.new.owner(key)].append((entry, self._how(seen, copy)))
                    continue
            elif entry is None and seen is not None:
                del self.copied[key]
                if copy is not None:
                    removed[self.new.owner(key)].append((key, copy))
            elif isinstance(entry, Rejected):
                self.wrong.add(f"an entry was not read: {entry}")
        for place, pairs in to.items():
            self._at(place, lambda new, pairs=pairs: self._store(new, pairs, listed))
        for place, versions in removed.items():
            self._at(place, lambda new, versions=versions: list(new.drop(versions)))

    def _at(self, place, act):
        """Act at a new node. One that does not answer gets nothing more, and the others get what is theirs."""
        if place in self.dead:
            return
        try:
            act(self.nodes[place])
        except Failed as error:
            self.wrong.add(str(error))
            self.dead.add(place)

    def _how(self, seen, copy):
        """No client asks the new node for a key before it has the new ring, so an old value there is overwritten."""
        if seen is None:
            return b"MS" if self.first else b"ME"
        return b"C%d" % copy

    def _store(self, node, pairs, listed):
        for entry, version in node.put(pairs):
            key = entry.key
            if isinstance(version, Rejected):
                self.wrong.add(f"an entry was not stored: {version}")
                continue
            seen = listed.get(key, (None, None))
            self.copied[key] = ((entry.version, seen[1]), version)
            self.stored.update([key] if version is not None else [])

    def drop(self):
        """Remove the old copies that are as they were copied. Returns whether all are gone."""
        for place in self.old.places:
            versions = [(key, seen[0]) for key, (seen, _) in self.copied.items() if self.old.owner(key) == place]
            try:
                for key, gone in self.nodes[place].drop(versions):
                    if gone:
                        del self.copied[key]
            except Failed as error:
                self.wrong.add(str(error))
        return not self.copied


def chunks(keys):
    return (keys[at : at + CHUNK] for at in range(0, len(keys), CHUNK))


class Record:
    """The file of a move: from which ring to which, what was copied, and whether old copies are being removed."""

    def __init__(self, path, old, new, copied, ending=False):
        self.path, self.old, self.new, self.copied, self.ending = path, sorted(old), sorted(new), copied, ending

    def write(self):
        said = {**vars(self), "copied": {base64.b64encode(key).decode(): seen for key, seen in self.copied.items()}}
        with open(f"{self.path}.new", "w", encoding="utf8") as file:
            json.dump(said, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{self.path}.new", self.path)


def read(path):
    """The record of this run, or the newest of a run that did not end; None: there is none."""
    records = glob.glob(os.path.join(glob.escape(os.path.dirname(path)), "moved-*"))
    records = sorted((name for name in records if not name.endswith(".new")), key=os.path.getmtime)
    for name in [path, *reversed(records)]:
        try:
            with open(name, encoding="utf8") as file:
                said = json.load(file)
            copied = {base64.b64decode(key): (tuple(seen), copy) for key, (seen, copy) in said["copied"].items()}
            return Record(path, said["old"], said["new"], copied, said["ending"])
        except (OSError, ValueError, KeyError):
            continue
    return None


def known(record, old, new):
    """What is known of the copies of a move: by a run of the same move that did not end, or of the move the other way."""
    if (record.old, record.new) == (sorted(old), sorted(new)):
        return record.copied
    if (record.old, record.new) == (sorted(new), sorted(old)):
        return {key: ((copy, None), seen[0]) for key, (seen, copy) in record.copied.items()}
    return {}


def settle(move, record, seconds):
    """Repeat the changes of programs that have not read the new ring, then remove what they have left."""
    end = min(time.monotonic() + seconds, move.deadline)
    while not record.ending:
        last = time.monotonic() >= end
        move.bring()
        if last:
            break
        time.sleep(ROUND_S)
    # A key that is removed here is no longer one that a client has removed, also for a run after this one.
    record.ending = True
    record.write()
    for _ in range(LAST_ROUNDS):
        if move.drop():
            return
        move.bring()


def main():
    words = sys.argv[1:]
    if len(words) < 5 or words[0] not in ("before", "after"):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    when, cache, seconds, path = words[0], words[1], int(words[2]), words[3]
    here, record = places_in(text_of_ring(cache)), read(path)
    if when == "before":
        old, new = here, words[4:]
        # That move came to its end: every client had its ring.
        record = None if record and record.ending else record
    else:
        old, new = (record.old if record else []), here
    if seconds == 0 or not old or not new or sorted(old) == sorted(new):
        print("no entry moves")
        return
    copied = {} if record is None else record.copied if when == "after" else known(record, old, new)
    move, late = Move(old, new, copied, seconds, first=record is None), ""
    try:
        if when == "before":
            move.bring()
        else:
            settle(move, record, int(words[4]))
    except Late:
        late = f"; the rest stays at its old node after {seconds} s"
    if when == "before":
        Record(path, old, new, move.copied).write()
    done = "copied to other nodes" if when == "before" else "changed later and copied again"
    print(f"{len(move.stored)} entries {done}{late}{''.join(f'; {why}' for why in sorted(move.wrong))}")


main()
