"""HTTP/1.1 with kept connections, as small as a pool behind HAProxy needs it."""

import asyncio
import contextlib
import http
import signal
import sys
import urllib.parse

HEAD_BYTES = 32768
BODY_BYTES = 1 << 20
IDLE_S = 75
# A request that is on its way when the server is told to end is still answered.
LINGER_S = 0.1
END_S = 25
REASONS = {status.value: status.phrase for status in http.HTTPStatus}


class Request:
    def __init__(self, head):
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        self.method, target, self.version = first.split(" ")
        self.path, _, query = target.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query))
        self.headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def keeps(self):
        wanted = self.headers.get("connection", "").lower()
        return wanted != "close" and (self.version == "HTTP/1.1" or wanted == "keep-alive")

    def cookie(self, name):
        for part in self.headers.get("cookie", "").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return None


class Answer:
    def __init__(self, status, body, kind="text/html", **headers):
        self.status, self.kind, self.headers = status, kind, headers
        self.body = body if isinstance(body, bytes) else body.encode()

    def encode(self, request, keeps):
        headers = {
            "Content-Type": f"{self.kind}; charset=utf-8",
            "Content-Length": len(self.body),
            "Connection": "keep-alive" if keeps else "close",
            **{name.replace("_", "-"): value for name, value in self.headers.items()},
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {self.status} {REASONS[self.status]}\r\n{lines}\r\n".encode("latin-1")
        return head if request is not None and request.method == "HEAD" else head + self.body


class Server:
    """Answers by `answer(request)`; ends on SIGTERM: takes nothing new, finishes what is in flight."""

    def __init__(self, answer):
        self.answer = answer
        self.ending = False
        self.idle = set()
        self.open = set()
        self.in_flight = 0

    async def run(self, address, port):
        told = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, told.set)
        listener = await asyncio.start_server(self.connected, address, port, limit=HEAD_BYTES, backlog=512)
        await told.wait()
        self.ending = True
        listener.close()
        await asyncio.sleep(LINGER_S)
        for writer in self.idle:
            writer.close()
        if self.open:
            await asyncio.wait(self.open, timeout=END_S)

    async def connected(self, reader, writer):
        task = asyncio.current_task()
        self.open.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                while await self.one(reader, writer):
                    pass
        finally:
            self.open.discard(task)
            self.idle.discard(writer)
            writer.close()

    async def one(self, reader, writer):
        """Read and answer one request; whether the connection is kept."""
        self.idle.add(writer)
        try:
            async with asyncio.timeout(IDLE_S):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return await self.send(writer, None, Answer(431, "the head is too long\n", "text/plain"))
        finally:
            self.idle.discard(writer)
        self.in_flight += 1
        try:
            return await self.send(writer, *await self.answered(reader, head))
        finally:
            self.in_flight -= 1

    async def answered(self, reader, head):
        try:
            request = Request(head)
            size = int(request.headers.get("content-length", 0))
        except ValueError:
            return None, Answer(400, "this is no request\n", "text/plain")
        if size > BODY_BYTES or "transfer-encoding" in request.headers:
            return None, Answer(413, "the body is too long, or of no known length\n", "text/plain")
        await reader.readexactly(size)
        try:
            return request, await self.answer(request)
        except Exception as error:  # a fault of one page ends no other
            print(f"{request.path}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            return request, Answer(500, "this page has failed\n", "text/plain")

    async def send(self, writer, request, answer):
        keeps = request is not None and request.keeps() and not self.ending
        writer.write(answer.encode(request, keeps))
        await writer.drain()
        return keeps
