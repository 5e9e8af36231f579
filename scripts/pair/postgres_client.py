"""A minimal PostgreSQL client, for hosts without one. Ends the program with a message when the server refuses."""

import base64
import hashlib
import hmac
import os
import socket
import struct
import sys

LIMIT_S, ROUNDS_MOST = 3, 1_000_000


class Server:
    """The wire protocol, version 3, as far as one query needs it."""

    def __init__(self, address, port):
        self.socket = socket.create_connection((address, port), LIMIT_S)
        self.stream = self.socket.makefile("rb")

    def send(self, kind, body):
        self.socket.sendall(kind + struct.pack("!I", len(body) + 4) + body)

    def receive(self):
        head = self.stream.read(5)
        if len(head) < 5:
            sys.exit("the server closed the connection")
        body = self.stream.read(struct.unpack("!I", head[1:])[0] - 4)
        if head[:1] == b"E":
            fields = dict((field[:1], field[1:].decode()) for field in body.split(b"\0") if field)
            sys.exit(fields.get(b"M", "the server refused"))
        return head[:1], body

    def receive_only(self, kind):
        while True:
            received, body = self.receive()
            if received == kind:
                return body

    def login(self, database, password):
        """Log in as role changeover_check by SCRAM-SHA-256 (RFC 5802); both sides prove that they know the password."""
        words = f"user\0changeover_check\0database\0{database}\0application_name\0changeover-check\0\0"
        self.send(b"", struct.pack("!I", 196608) + words.encode())
        if struct.unpack("!I", self.receive_only(b"R")[:4])[0] != 10:
            sys.exit("the server does not offer SCRAM-SHA-256")
        nonce = base64.b64encode(os.urandom(18)).decode()
        mine = f"n=,r={nonce}"
        first = ("n,," + mine).encode()
        self.send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(first)) + first)
        theirs = self.receive_only(b"R")[4:].decode()
        part = dict(item.split("=", 1) for item in theirs.split(",") if "=" in item)
        if not part.keys() >= {"r", "s", "i"} or not part["r"].startswith(nonce) or not 0 < int(part["i"]) <= ROUNDS_MOST:
            sys.exit("the server does not speak SCRAM-SHA-256")
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(part["s"]), int(part["i"]))
        final = f"c=biws,r={part['r']}"
        exchange = f"{mine},{theirs},{final}".encode()
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), exchange, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature))
        self.send(b"p", f"{final},p={base64.b64encode(proof).decode()}".encode())
        answer = self.receive_only(b"R")[4:].decode()
        server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), exchange, "sha256")
        if answer != "v=" + base64.b64encode(server).decode():
            sys.exit("the server does not know the secret of the checks")

    def ask(self, question):
        """The first column of the first row."""
        self.send(b"Q", question.encode() + b"\0")
        row = self.receive_only(b"D")
        return row[6:].decode()
