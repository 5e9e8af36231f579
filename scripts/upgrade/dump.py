"""Dump the main database, and count its rows in the same snapshot."""

import contextlib
import os
import re
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import backups
import clocks
import obstacles
from canonical import Digest
from contents import checksums, count, others_of, tables_of
from database import tool
from disk import free_bytes
from host import Refused, last_line, log, run
from session import session
from stage import stage_of

OPTIONS = (
    *("--all-databases", "--single-transaction", "--quick", "--routines", "--events", "--triggers", "--hex-blob"),
    *("--comments", "--dump-date", "--default-character-set=utf8mb4", "--max-allowed-packet=1G", "--skip-force"),
    # A default that takes the next value of a sequence needs that one, too: nothing is locked while a dump is read.
    "--skip-add-locks",
)
# These bytes of a dump follow the begin of its transaction.
BEGUN = b"\n-- Current Database: "
LOCK_S = 20
ZONES = ("time_zone", "time_zone_leap_second", "time_zone_name", "time_zone_transition", "time_zone_transition_type")
# What a dump leaves free on its file system.
SPARE_MIB = 64
# Some dump programs leave something out, say so, and end with 0.
LEFT_OUT = re.compile(r"(?i)\b(error|couldn't|can't|cannot|failed|insufficient|denied|skipp(ed|ing))\b")


def require_room(settings, size):
    """Room for the last backup's size and a quarter more; for a first backup, room for the uncompressed database."""
    earlier = backups.backups(settings)
    needed = earlier[0]["bytes"] * 5 // 4 if earlier else size
    free = free_bytes(backups.place(settings))
    if free < needed + (SPARE_MIB << 20):
        raise Refused(
            f"{backups.place(settings)} has {free >> 20} MiB free (needed: {needed >> 20} MiB for a dump, and {SPARE_MIB} MiB spare); "
            "make room, or set another backup.folder, and run again"
        )


def options_for(settings, tables):
    """The options of a dump of these tables, as far as this dump program knows them."""
    known = run([settings["dump"], "--no-defaults", "--help"], 10)[1]
    # The ids of transactions belong to the server: one that has its own accepts no others.
    more = ["--set-gtid-purged=OFF"] if "--set-gtid-purged" in known else []
    versioned = [table.full for table in tables if table.versioned]
    if versioned and "--dump-history" not in known:
        raise Refused(
            f"{', '.join(versioned[:5])} keep a history, which {settings['dump']} can't dump; "
            "allowed: a dump program with --dump-history (MariaDB 10.11), or tables without system versioning"
        )
    return [*OPTIONS, *more, *(["--dump-history"] if versioned else [])]


def zones(settings, asked):
    """The dump of the time zones, if there are any. It comes first: an event may name one, and its schema may come before `mysql`."""
    if asked.ask("SELECT COUNT(*) FROM mysql.time_zone_name")[0][0] == "0":
        return b""
    words = tool(settings, "dump", "--skip-lock-tables", "--skip-force", "mysql", *ZONES)
    code, said, error = run(words, 120)
    if code != 0:
        raise Refused(f"the time zones can't be dumped (exit code {code}, allowed: 0): {last_line(error)}; fix the cause and run again")
    return b"USE `mysql`;\n" + said.encode() + b"\n"


def pump(dump, packer, digest, begun):
    """Pass the dump to gzip; call `begun` once the dump's transaction has begun."""
    head = b""
    for chunk in iter(lambda: dump.stdout.read1(1 << 20), b""):
        if head is not None:
            head += chunk
            if BEGUN in head:
                begun()
                head = None
        digest.feed(chunk)
        packer.stdin.write(chunk)
    packer.stdin.close()
    return head is None


def said_wrong(codes, whole, said):
    """Why a dump is not all that was asked for, or None."""
    if codes != (0, 0) or not whole:
        return f"the dump ended with {codes[0]} and gzip with {codes[1]} (allowed: 0 and 0); last output: {last_line(said)}"
    left_out = next((line.strip() for line in said.splitlines() if LEFT_OUT.search(line)), None)
    return left_out and f"the dump ended with 0, but says: {left_out}"


def packed(words, file, prefix, begun):
    """Dump and gzip into a file; both must end with 0. Returns the digest of what the dump says."""
    digest = Digest()
    with tempfile.TemporaryFile() as errors:
        dump = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        packer = subprocess.Popen(["gzip", "-c"], stdin=subprocess.PIPE, stdout=file, stderr=errors)
        try:
            packer.stdin.write(prefix)
            whole = pump(dump, packer, digest, begun)
        except BrokenPipeError:
            whole = False
        finally:
            dump.stdout.close()
            with contextlib.suppress(BrokenPipeError):
                packer.stdin.close()
            codes = dump.wait(), packer.wait()
        errors.seek(0)
        wrong = said_wrong(codes, whole, errors.read().decode(errors="replace").strip())
    if wrong:
        raise Refused(f"{wrong}; it was removed; fix the cause and run again")
    return digest.result()


def digest_of(words):
    """What a server says now, by a dump that is not kept."""
    digest = Digest()
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as dump:
            for chunk in iter(lambda: dump.stdout.read1(1 << 20), b""):
                digest.feed(chunk)
        errors.seek(0)
        wrong = said_wrong((dump.returncode, 0), True, errors.read().decode(errors="replace").strip())
    if wrong:
        raise Refused(f"{wrong}; fix the cause and run again")
    return digest.result()


def snapshot(settings, part):
    """Dump into a file; the expected contents of the same moment."""
    seconds = int(settings["database_seconds"])
    with ThreadPoolExecutor(1) as threads, session(settings) as lock, session(settings) as counting:
        # A stalled session must not block the application: the database ends it.
        lock.ask(f"SET SESSION lock_wait_timeout = {LOCK_S}, SESSION wait_timeout = 60")
        rows = []

        def counted():
            safe = [table for table in tables if table.safe]
            return count(counting, safe, seconds), checksums(counting, safe, seconds)

        def begun():
            lock.ask("UNLOCK TABLES")
            log(f"writes paused for {time.monotonic() - locked:.2f} s")
            rows.append(threads.submit(counted))

        obstacles.require_none(lock)
        stage = stage_of(lock)
        words = tool(settings, "dump", *options_for(settings, tables_of(lock)))
        prefix = zones(settings, lock)
        others, accounts = others_of(lock)
        locked = time.monotonic()
        lock.ask("FLUSH TABLES WITH READ LOCK", LOCK_S + 5)
        tables = tables_of(lock)
        require_room(settings, sum(table.bytes for table in tables))
        counting.ask("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        counting.ask("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        with open(part, "xb") as file:
            digest = packed(words, file, prefix, begun)
            os.fsync(file.fileno())
        numbers, sums = rows[0].result()
    # Tables of engines without snapshots have no row count: the dump alone says what they had.
    return {
        "tables": len(tables),
        "rows": {table.full: numbers.get(table.full) for table in tables},
        "sums": sums,
        "digest": digest,
        "data_bytes": sum(table.bytes for table in tables),
        "others": others,
        "accounts": accounts,
        "server": stage,
    }


def take(settings, transition, version, copy=False):
    """Make a verified backup; returns its record."""
    folder = backups.make_place(settings)
    os.umask(0o077)
    backups.clear(settings)
    clock = clocks.now()
    at = int(clock["at"])
    while os.path.exists(backups.path_of(settings, time.strftime(backups.ID, time.gmtime(at)))):
        at += 1
    number = time.strftime(backups.ID, time.gmtime(at))
    path, part = backups.path_of(settings, number), backups.path_of(settings, number, "sql.gz.part")
    try:
        contents = snapshot(settings, part)
        unpacked = backups.verify_dump(part)
        record = {
            **{"id": number, "serial": backups.next_serial(settings), "version": version, "transition": transition, "copy": copy},
            **{"restored": False, **clock},
            **{"bytes": os.path.getsize(part), "unpacked_bytes": unpacked, "sha256": backups.digest(part)},
            **contents,
        }
        backups.write(settings, record)
        os.rename(part, path)
        backups.sync_folder(folder)
    finally:
        if os.path.exists(part):
            os.unlink(part)
    return record
