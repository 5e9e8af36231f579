"""One memcached server over the network, without a client library."""

import base64
import re
import socket
from urllib.parse import unquote_to_bytes

# A key with other bytes is sent in base64.
PLAIN = re.compile(rb"[!-~]{1,250}")


class Failed(Exception):
    """The server gave no answer, or not the expected one."""


class Node:
    """A connection to `host:port`, opened when it is needed. Each answer has a time limit."""

    def __init__(self, place, limit=2.0):
        self.place = place
        self.limit = limit
        self.stream = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.stream:
            self.stream.close()
            self.stream = None

    def _send(self, data):
        try:
            if not self.stream:
                host, port = self.place.rsplit(":", 1)
                with socket.create_connection((host, int(port)), self.limit) as connection:
                    self.stream = connection.makefile("rwb")
            self.stream.write(data)
            self.stream.flush()
        except OSError as error:
            raise Failed(f"{self.place}: {error.strerror or error}") from error

    def _line(self):
        try:
            line = self.stream.readline()
        except OSError as error:
            raise Failed(f"{self.place}: no answer within {self.limit:g} s") from error
        if not line.endswith(b"\n"):
            raise Failed(f"{self.place} closed the connection")
        return line.rstrip(b"\r\n")

    def _ask(self, data, *allowed):
        self._send(data)
        line = self._line()
        if line.split(b" ", 1)[0] not in allowed:
            raise Failed(f"{self.place} answered {line[:80].decode(errors='replace')!r}")
        return line

    def version(self):
        return self._ask(b"version\r\n", b"VERSION").split(b" ", 1)[1].decode()

    def stats(self):
        """The numbers of `stats`, by name."""
        self._send(b"stats\r\n")
        numbers = {}
        while (line := self._line()) != b"END":
            words = line.decode(errors="replace").split(" ", 2)
            if words[0] != "STAT" or len(words) < 3:
                raise Failed(f"{self.place} answered {line[:80].decode(errors='replace')!r}")
            numbers[words[1]] = words[2]
        return numbers

    def set(self, key, value, seconds=0):
        data = value.encode()
        self._ask(b"set %s 0 %d %d\r\n%s\r\n" % (key.encode(), seconds, len(data), data), b"STORED")

    def get(self, key):
        """The value; None when the key is missing."""
        entry = self.fetch(key.encode())
        return entry and entry.value.decode(errors="replace")

    def keys(self):
        """(key, version of its value) of every entry."""
        self._send(b"lru_crawler metadump all\r\n")
        keys = []
        while (line := self._line()) != b"END":
            if not line.startswith(b"key="):
                raise Failed(f"{self.place} answered {line[:80].decode(errors='replace')!r}")
            fields = dict(word.split(b"=", 1) for word in line.split(b" ") if b"=" in word)
            keys.append((unquote_to_bytes(fields[b"key"]), int(fields[b"cas"])))
        return keys

    def fetch(self, key):
        """An entry; None when the key is missing."""
        encoded, flag = _encoded(key)
        line = self._ask(b"mg %s v t f c%s\r\n" % (encoded, flag), b"VA", b"EN")
        if line == b"EN":
            return None
        size, *flags = line.split(b" ")[1:]
        try:
            data = self.stream.read(int(size) + 2)
        except OSError as error:
            raise Failed(f"{self.place}: no answer within {self.limit:g} s") from error
        values = {word[:1]: word[1:] for word in flags}
        return Entry(key, data[:-2], int(values[b"t"]), values[b"f"], int(values[b"c"]))

    def put(self, entry, how=b"ME", age=0):
        """
        Store an entry: if the key is missing (`ME`), always (`MS`), or if its value has version 7 (`C7`).
        Returns the new version; None when the entry was not stored. `age`: seconds since the entry was read.
        """
        if 0 <= entry.seconds <= age:
            return None
        encoded, flag = _encoded(entry.key)
        life = entry.seconds - age if entry.seconds >= 0 else 0
        head = b"ms %s %d T%d F%s %s c%s\r\n" % (encoded, len(entry.value), life, entry.flags, how, flag)
        line = self._ask(head + entry.value + b"\r\n", b"HD", b"NS", b"EX", b"NF")
        return int(line.rsplit(b" c", 1)[1]) if line.startswith(b"HD") else None

    def drop(self, key, version):
        """Remove a value if it still has this version."""
        encoded, flag = _encoded(key)
        self._ask(b"md %s C%d%s\r\n" % (encoded, version, flag), b"HD", b"EX", b"NF")


class Entry:
    """A value with its key, the seconds until it expires (-1: never), the client's flags, and its version."""

    def __init__(self, key, value, seconds, flags, version):
        self.key, self.value, self.seconds, self.flags, self.version = key, value, seconds, flags, version


def _encoded(key):
    """The key as it is sent, and the flag that says how."""
    return (key, b"") if PLAIN.fullmatch(key) else (base64.b64encode(key), b" b")
