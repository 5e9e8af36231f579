"""One memcached server over the network, without a client library."""

import base64
import re
import socket
import time
from urllib.parse import unquote_to_bytes

# A key with other bytes is sent in base64.
PLAIN = re.compile(rb"[!-~\x80-\xff]{1,250}")
# memcached takes a longer life for a point in time (seconds since 1970).
RELATIVE_MOST_S = 30 * 24 * 3600
LAST_S = 2**31 - 1
# So many questions are sent before their answers are read: they fit into the buffers of a connection.
BATCH, BATCH_BYTES = 64, 4 * 1024 * 1024
BUSY_S = 20


class Failed(Exception):
    """The server gave no answer, or not the expected one."""


class Rejected(Failed):
    """The server answers, and can't do this one thing; the connection goes on."""


class Busy(Rejected):
    """Somebody else walks through the entries."""


def exptime(left, now):
    """What memcached is told, so that an entry lives `left` more seconds (-1: for ever). `now`: the clock of that server."""
    if left <= 0:
        return 0 if left else -1
    return left if left <= RELATIVE_MOST_S else min(now + left, LAST_S)


class Node:
    """A connection to `host:port`, opened when it is needed. Each answer has a time limit."""

    def __init__(self, place, limit=2.0):
        self.place, self.limit = place, limit
        self.stream, self.ahead = None, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.stream:
            self.stream.close()
        self.stream, self.ahead = None, None

    def _send(self, data):
        try:
            if not self.stream:
                host, port = self.place.rsplit(":", 1)
                with socket.create_connection((host, int(port)), self.limit) as connection:
                    self.stream = connection.makefile("rwb")
            self.stream.write(data)
            self.stream.flush()
        except OSError as error:
            self.close()
            raise Failed(f"{self.place}: {error.strerror or error}") from error

    def _read(self, read, *size):
        try:
            data = read(*size)
        except OSError as error:
            self.close()
            raise Failed(f"{self.place}: no answer within {self.limit:g} s") from error
        if not data.endswith(b"\n") or (size and len(data) != size[0]):
            self.close()
            raise Failed(f"{self.place} closed the connection")
        return data

    def _line(self):
        return self._read(self.stream.readline).rstrip(b"\r\n")

    def _answer(self, *allowed):
        line = self._line()
        word = line.split(b" ", 1)[0]
        if word in allowed:
            return line
        said = f"{self.place} answered {line[:80].decode(errors='replace')!r}"
        if word in (b"SERVER_ERROR", b"CLIENT_ERROR"):
            raise Rejected(said)
        self.close()
        raise Failed(said)

    def _ask(self, data, *allowed):
        self._send(data)
        return self._answer(*allowed)

    def version(self):
        return self._ask(b"version\r\n", b"VERSION").split(b" ", 1)[1].decode()

    def stats(self):
        """The numbers of `stats`, by name."""
        self._send(b"stats\r\n")
        numbers = {}
        while (line := self._answer(b"STAT", b"END")) != b"END":
            words = line.decode(errors="replace").split(" ", 2)
            numbers[words[1]] = words[2]
        return numbers

    def now(self):
        """The clock of the server (seconds since 1970). It is asked once a connection."""
        if self.ahead is None:
            self.ahead = int(self.stats()["time"]) - time.monotonic()
        return int(self.ahead + time.monotonic())

    def set(self, key, value, seconds=0):
        data = value.encode()
        self._ask(b"set %s 0 %d %d\r\n%s\r\n" % (key.encode(), seconds, len(data), data), b"STORED")

    def get(self, key):
        """The value; None when the key is missing."""
        entry = next(self.fetch([key.encode()]))[1]
        if isinstance(entry, Rejected):
            raise entry
        return entry and entry.value.decode(errors="replace")

    def keys(self):
        """
        Every entry: key to (version of its value, when it expires). That a key is missing here is no proof that it is gone:
        entries come, go and change places while the server walks.
        """
        try:
            return self._walk()
        except Rejected as why:
            if "crawler disabled" not in str(why):
                raise
        self._ask(b"lru_crawler enable\r\n", b"OK")
        try:
            return self._walk()
        finally:
            self._ask(b"lru_crawler disable\r\n", b"OK")

    def _walk(self):
        """By hash, whose order no access changes; by age on a server that does not know this. One walk runs at a time."""
        deadline, walk = time.monotonic() + BUSY_S, b"hash"
        while True:
            try:
                return self._dump(walk)
            except Busy:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            except Rejected as why:
                if walk == b"all" or "crawler disabled" in str(why):
                    raise
                walk = b"all"

    def _dump(self, walk):
        self._send(b"lru_crawler metadump %s\r\n" % walk)
        keys = {}
        while (line := self._read(self.stream.readline).rstrip(b"\r\n")) != b"END":
            if not line.startswith(b"key="):
                said = f"{self.place} answered {line[:80].decode(errors='replace')!r}"
                raise Busy(said) if line.startswith((b"BUSY", b"LOCKED")) else Rejected(said)
            fields = dict(word.split(b"=", 1) for word in line.split(b" ") if b"=" in word)
            keys[unquote_to_bytes(fields[b"key"])] = int(fields[b"cas"]), int(fields[b"exp"])
        return keys

    def fetch(self, keys):
        """(key, its entry) of each key: None is a definite miss, Rejected an entry that the server does not give."""
        for batch in _batches(keys, lambda _: 0):
            self._send(b"".join(b"mg %s v t f c u%s\r\n" % _encoded(key) for key in batch))
            yield from zip(batch, [self._entry(key) for key in batch])

    def _entry(self, key):
        try:
            line = self._answer(b"VA", b"EN")
        except Rejected as why:
            return why
        if line == b"EN":
            return None
        size, *flags = line.split(b" ")[1:]
        data = self._read(self.stream.read, int(size) + 2)
        values = {word[:1]: word[1:] for word in flags}
        # A client has said that the value is not to be used any more.
        return None if b"X" in values else Entry(key, data[:-2], int(values[b"t"]), values[b"f"], int(values[b"c"]))

    def put(self, wanted):
        """
        Store entries, given as (entry, how): if the key is missing (`ME`), always (`MS`), or if its value has version 7 (`C7`).
        Yields (entry, its new version): None when it was not stored, Rejected when the server has no place for it.
        """
        self.now()
        alive = (pair for pair in wanted if pair[0].left() != 0)
        for batch in _batches(alive, lambda pair: len(pair[0].value)):
            now = self.now()
            self._send(b"".join(_store(entry, how, now) for entry, how in batch))
            yield from zip([entry for entry, _ in batch], [self._stored() for _ in batch])

    def _stored(self):
        try:
            line = self._answer(b"HD", b"NS", b"EX", b"NF")
        except Rejected as why:
            return why
        return int(line.rsplit(b" c", 1)[1]) if line.startswith(b"HD") else None

    def drop(self, versions):
        """Remove values, given as (key, version), that still have this version. Yields (key, whether it is gone)."""
        for batch in _batches(versions, lambda _: 0):
            encoded = [(*_encoded(key), version) for key, version in batch]
            self._send(b"".join(b"md %s C%d%s\r\n" % (key, version, flag) for key, flag, version in encoded))
            answers = [self._answer(b"HD", b"EX", b"NF") for _ in batch]
            yield from ((key, not answer.startswith(b"EX")) for (key, _), answer in zip(batch, answers))


class Entry:
    """A value with its key, the seconds until it expires (-1: never), the client's flags, and its version."""

    def __init__(self, key, value, seconds, flags, version):
        self.key, self.value, self.seconds, self.flags, self.version = key, value, seconds, flags, version
        self.read_at = time.monotonic()

    def left(self):
        """Seconds until it expires, now; -1: never."""
        return -1 if self.seconds < 0 else max(0, self.seconds - int(time.monotonic() - self.read_at))


def _store(entry, how, now):
    encoded, flag = _encoded(entry.key)
    words = encoded, len(entry.value), exptime(entry.left(), now), entry.flags, how, flag
    return b"ms %s %d T%d F%s %s c%s\r\n" % words + entry.value + b"\r\n"


def _encoded(key):
    """The key as it is sent, and the flag that says how."""
    return (key, b"") if PLAIN.fullmatch(key) else (base64.b64encode(key), b" b")


def _batches(items, size_of):
    batch, size = [], 0
    for item in items:
        batch.append(item)
        size += size_of(item)
        if len(batch) == BATCH or size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
