"""The ring of a cache: which node has which key. As in Dalli, so copies go to the nodes that Dalli asks."""

import bisect
import hashlib
import os
import zlib

FOLDER = os.environ.get("CHANGEOVER_CACHES", "/etc/changeover/caches")
POINTS_PER_NODE = 160


def ring_file(cache):
    return f"{FOLDER}/{cache}.ring"


def text_of_ring(cache):
    """The text of this host's ring; None without a ring."""
    try:
        with open(ring_file(cache), encoding="utf8") as file:
            return file.read()
    except OSError:
        return None


def places_in(text):
    return (text or "").split()


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def short(sha):
    """A ring's hash as messages show it."""
    return sha[:12]


class Ring:
    """`places` are `host:port`; their order does not matter."""

    def __init__(self, places):
        self.places = list(places)
        points = sorted(
            (int(hashlib.sha1(f"{place}:{point}".encode()).hexdigest()[:8], 16), place)
            for place in self.places
            for point in range(POINTS_PER_NODE)
        )
        self.values = [value for value, _ in points]
        self.owners = [place for _, place in points]

    def owner(self, key):
        """The node of a key, given as bytes."""
        if len(self.places) == 1:
            return self.places[0]
        return self.owners[bisect.bisect_right(self.values, zlib.crc32(key)) - 1]
