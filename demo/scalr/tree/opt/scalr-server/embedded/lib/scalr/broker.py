"""The stand-in of a message broker: queues that last, one JSON request a line on 127.0.0.1:5672.

{"put": QUEUE, "body": …} keeps a message, {"get": QUEUE} takes the oldest one, or null.
"""

import json
import os
import socket
import socketserver
import threading
import time

from scalr.settings import VAR

ADDRESS = ("127.0.0.1", 5672)
FILE = f"{VAR}/lib/rabbitmq.json"
PATIENCE = 5
LOCK = threading.Lock()


def kept():
    try:
        with open(FILE, encoding="utf8") as file:
            return json.load(file)
    except (FileNotFoundError, ValueError):
        return {}


def keep(queues):
    with open(f"{FILE}.part", "w", encoding="utf8") as file:
        json.dump(queues, file)
    os.rename(f"{FILE}.part", FILE)


def answer(request):
    with LOCK:
        queues = kept()
        if "put" in request:
            queues.setdefault(request["put"], []).append(request["body"])
            keep(queues)
            return {"kept": True}
        queue = queues.get(request["get"], [])
        body = queue.pop(0) if queue else None
        if body is not None:
            keep(queues)
        return {"body": body}


class Broker(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(json.dumps(answer(json.loads(line))).encode() + b"\n")


def connect():
    """A broker that starts at the same time is given a moment."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(ADDRESS, timeout=3)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def ask(request):
    """One question to the broker of this host."""
    with connect() as connection:
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as lines:
            return json.loads(lines.readline())
