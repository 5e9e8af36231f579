"""Sessions in memcached, over its text protocol, spread over its nodes as Dalli does it.

A key has one node, by a ring on which each node has 160 points. When that node is gone the
next one on the ring has the key: the session starts anew there and no user sees an error.
"""

import asyncio
import bisect
import collections
import contextlib
import hashlib
import os
import time
import zlib

POINTS = 160
ANSWER_S = 0.1
# A node that was silent once may have been busy; one that was silent twice in a row is down.
SILENT_TIMES = 2
RETRY_S = 1
KEEP_S = 86400


class Gone(Exception):
    """No node answers."""


class Ring:
    def __init__(self, nodes):
        self.nodes = sorted(set(nodes))
        points = sorted((self.point(f"{node}:{index}"), node) for node in self.nodes for index in range(POINTS))
        self.places = [place for place, _ in points]
        self.owners = [node for _, node in points]

    @staticmethod
    def point(text):
        return int(hashlib.sha1(text.encode()).hexdigest()[:8], 16)

    def candidates(self, key):
        """The node of a key, then the ones that stand in for it, as they follow on the ring."""
        start = bisect.bisect_right(self.places, zlib.crc32(key.encode())) - 1
        seen = set()
        for step in range(len(self.owners)):
            node = self.owners[(start + step) % len(self.owners)]
            if node not in seen:
                seen.add(node)
                yield node
            if len(seen) == len(self.nodes):
                return

    def digest(self):
        """Equal on all app servers, or they look for a key in different places. The hash of a file with sorted lines."""
        return hashlib.sha256("".join(f"{node}\n" for node in self.nodes).encode()).hexdigest()[:12]


def nodes_in(path):
    with open(path, encoding="utf8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


class Node:
    def __init__(self, name):
        self.host, _, self.port = name.rpartition(":")
        self.idle = collections.deque()
        self.silent = 0
        self.down_since = None

    async def connect(self):
        return await asyncio.open_connection(self.host, int(self.port))

    async def ask(self, request):
        """One line for one request. A kept connection that was closed meanwhile is no answer of the node."""
        if self.idle:
            with contextlib.suppress(OSError):
                return await self.ask_over(self.idle.pop(), request)
        return await self.ask_over(await self.connect(), request)

    async def ask_over(self, connection, request):
        reader, writer = connection
        try:
            writer.write(request)
            line = await reader.readline()
            if not line.endswith(b"\r\n"):
                raise ConnectionResetError("closed by the node")
            if line.startswith((b"ERROR", b"CLIENT_ERROR", b"SERVER_ERROR")):
                raise ConnectionError(line.decode().strip())
        except BaseException:
            # An answer that comes late would be taken for the next one's.
            writer.close()
            raise
        self.idle.append(connection)
        self.silent = 0
        return line.strip()

    def failed(self, error):
        self.silent += 1
        if not isinstance(error, TimeoutError) or self.silent >= SILENT_TIMES:
            self.down_since = time.monotonic()
            self.close()

    def close(self):
        while self.idle:
            self.idle.pop()[1].close()


class Cache:
    def __init__(self, path):
        self.path = path
        self.seen = None
        self.ring = Ring([])
        self.nodes = {}
        self.counts = {"hits": 0, "misses": 0, "failovers": 0, "unkept": 0}

    def read_ring(self):
        """Take over the list of nodes when its file has changed. Raises OSError without one."""
        stat = os.stat(self.path)
        seen = (stat.st_ino, stat.st_mtime_ns)
        if seen == self.seen:
            return
        ring = Ring(nodes_in(self.path))
        for name in set(self.nodes) - set(ring.nodes):
            self.nodes.pop(name).close()
        for name in ring.nodes:
            self.nodes.setdefault(name, Node(name))
        self.ring, self.seen = ring, seen

    async def look(self):
        """What is wrong with the cache, None when one node answers. Nodes that are back are taken in here: no user waits for them."""
        try:
            self.read_ring()
        except OSError as error:
            return f"{self.path}: {error.strerror}"
        late = time.monotonic() - RETRY_S
        await asyncio.gather(*(self.try_again(node) for node in self.nodes.values() if (node.down_since or late) < late or not node.idle))
        return None if any(node.down_since is None for node in self.nodes.values()) else "no node answers"

    async def try_again(self, node):
        try:
            async with asyncio.timeout(ANSWER_S * 5):
                await node.ask(b"version\r\n")
            node.down_since = None
        except (OSError, TimeoutError, ValueError) as error:
            node.failed(error)

    async def ask(self, key, request):
        """The answer of the node that has the key, or of the next one by the ring. Raises Gone."""
        for name in self.ring.candidates(key):
            node = self.nodes.get(name)
            if node is None or node.down_since is not None:
                continue
            try:
                async with asyncio.timeout(ANSWER_S):
                    return await node.ask(request)
            except (OSError, TimeoutError, ValueError) as error:
                node.failed(error)
                self.counts["failovers"] += 1
        raise Gone

    async def count(self, session, known):
        """How often this session was here, with this time. A session that no node has begins anew."""
        key = f"session:{session}"
        try:
            answer = await self.ask(key, f"incr {key} 1\r\n".encode())
            if answer == b"NOT_FOUND":
                self.counts["misses"] += known
                answer = await self.ask(key, f"add {key} 0 {KEEP_S} 1\r\n1\r\n".encode())
            elif known:
                self.counts["hits"] += 1
            return int(answer) if answer.isdigit() else 1
        except Gone:
            self.counts["unkept"] += 1
            return 1

    def facts(self):
        nodes = {name: "up" if node.down_since is None else "down" for name, node in self.nodes.items()}
        return {"ring": self.ring.digest(), "nodes": nodes, **self.counts}
