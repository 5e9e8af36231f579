"""What a dump says, in a form that two dumps of the same data share: a digest for each table, view, routine and account."""

import hashlib
import re

# A database's own tables in the schema `mysql` that say who may do what. The others there follow the server, not its data.
ACCOUNTS = (
    *("user", "db", "global_priv", "tables_priv", "columns_priv", "procs_priv", "proxies_priv", "roles_mapping"),
    *("global_grants", "role_edges", "default_roles"),
)
# The account with which a scratch server is read.
VISITOR = "changeover-trial"
TITLE = re.compile(rb"-- ((?:Current Database|[A-Z][\w ]+ for \w+|Dumping (?:events|routines) for database)):? (`.*`|'.*')")
# Scratch servers have no folder but their own.
PLACES = re.compile(rb" (?:DATA|INDEX) DIRECTORY ?= ?'[^']*'")
WHOLE = 1 << 256


class Digest:
    """Feed it the bytes of a dump. Rows may come in any order, and in any number of statements."""

    def __init__(self):
        self.sections, self.database, self.key = {}, None, None
        self.pending = []

    def feed(self, chunk):
        first, *lines = chunk.split(b"\n")
        self.pending.append(first)
        for line in lines:
            self.line(b"".join(self.pending))
            self.pending = [line]

    def line(self, line):
        title = TITLE.fullmatch(line) if line.startswith(b"-- ") else None
        if title:
            self.enter(*title.groups())
        elif self.key and line not in (b"", b"--") and not line.startswith(b"-- Dump completed on "):
            self.add(line)

    def enter(self, what, name):
        if what == b"Current Database":
            self.database = name
        of_system = self.database == b"`mysql`" and name.strip(b"`").decode(errors="replace") not in ACCOUNTS
        self.key = None if of_system else b": ".join((self.database or b"", what + b" " + name)).decode(errors="replace")

    def add(self, line):
        text, rows = self.sections.setdefault(self.key, (hashlib.sha256(), [0]))
        head = b""
        if line.startswith(b"INSERT INTO "):
            head, _, line = line.partition(b" VALUES")
            line = line.lstrip()
        if head or line.startswith(b"("):
            if line and VISITOR.encode() not in line:
                rows[0] = (rows[0] + int.from_bytes(hashlib.sha256(line[:-1]).digest(), "big")) % WHOLE
        else:
            text.update(PLACES.sub(b"", line) + b"\n")

    def result(self):
        """{title: digest}, after the last byte."""
        return {
            key: hashlib.sha256(text.digest() + rows[0].to_bytes(32, "big")).hexdigest()[:32]
            for key, (text, rows) in self.sections.items()
        }


def differences(before, after):
    """The titles under which two dumps say something else."""
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
