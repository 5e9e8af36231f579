"""Dump the main database, and count its rows in the same snapshot."""

import contextlib
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import backups
from contents import count, others_of, tables_of
from database import tool
from disk import free_bytes
from host import Refused, last_line, log
from session import session

OPTIONS = (
    *("--all-databases", "--single-transaction", "--quick", "--routines", "--events", "--triggers", "--hex-blob"),
    *("--comments", "--dump-date", "--default-character-set=utf8mb4", "--max-allowed-packet=1G"),
)
# These bytes of a dump follow the begin of its transaction.
BEGUN = b"\n-- Current Database: "
LOCK_S = 20
# What a dump leaves free on its file system.
SPARE_MIB = 64


def require_room(settings, size):
    """Room for the last backup's size and a quarter more; for a first backup, room for the uncompressed database."""
    earlier = backups.backups(settings)
    needed = earlier[0]["bytes"] * 5 // 4 if earlier else size
    free = free_bytes(settings["backup_folder"])
    if free < needed + (SPARE_MIB << 20):
        raise Refused(
            f"{settings['backup_folder']} has {free >> 20} MiB free (needed: {needed >> 20} MiB for a dump, and {SPARE_MIB} MiB spare); "
            "make room, or set another backup.folder, and run again"
        )


def pump(dump, packer, begun):
    """Pass the dump to gzip; call `begun` once the dump's transaction has begun."""
    head = b""
    for chunk in iter(lambda: dump.stdout.read1(1 << 20), b""):
        if head is not None:
            head += chunk
            if BEGUN in head:
                begun()
                head = None
        packer.stdin.write(chunk)
    packer.stdin.close()
    return head is None


def packed(settings, part, begun):
    """Dump and gzip into a file; both must end with 0."""
    errors = tempfile.TemporaryFile()
    words = tool(settings, "dump", *OPTIONS)
    with open(part, "xb") as file:
        dump = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        packer = subprocess.Popen(["gzip", "-c"], stdin=subprocess.PIPE, stdout=file, stderr=errors)
        try:
            whole = pump(dump, packer, begun)
        except BrokenPipeError:
            whole = False
        finally:
            dump.stdout.close()
            with contextlib.suppress(BrokenPipeError):
                packer.stdin.close()
            codes = dump.wait(), packer.wait()
        os.fsync(file.fileno())
    errors.seek(0)
    error = last_line(errors.read().decode(errors="replace"))
    if codes != (0, 0) or not whole:
        raise Refused(
            f"the dump ended with {codes[0]} and gzip with {codes[1]} (allowed: 0 and 0); last output: {error}; "
            "it was removed; fix the cause and run again"
        )


def snapshot(settings, part):
    """Dump into a file; the expected contents of the same moment."""
    seconds = int(settings["database_seconds"])
    with ThreadPoolExecutor(1) as threads, session(settings) as lock, session(settings) as counting:
        # A stalled session must not block the application: the database ends it.
        lock.ask(f"SET SESSION lock_wait_timeout = {LOCK_S}, SESSION wait_timeout = 60")
        rows = []

        def begun():
            lock.ask("UNLOCK TABLES")
            log(f"writes paused for {time.monotonic() - locked:.2f} s")
            rows.append(threads.submit(count, counting, [table[:2] for table in tables if table[2]], seconds))

        others, accounts = others_of(lock)
        locked = time.monotonic()
        lock.ask("FLUSH TABLES WITH READ LOCK", LOCK_S + 5)
        tables = tables_of(lock)
        require_room(settings, sum(table[3] for table in tables))
        server = lock.ask("SELECT @@version, @@lower_case_table_names, @@innodb_page_size")[0]
        counting.ask("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        counting.ask("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        packed(settings, part, begun)
        counted = rows[0].result()
    # Tables of engines without snapshots have no row count: only their names are compared.
    return {
        "tables": len(tables),
        "rows": {f"{schema}.{table}": counted.get(f"{schema}.{table}") for schema, table, *_ in tables},
        "data_bytes": sum(table[3] for table in tables),
        "others": others,
        "accounts": accounts,
        "server": dict(zip(("version", "lower_case_table_names", "innodb_page_size"), server)),
    }


def take(settings, transition, version, copy=False):
    """Make a verified backup; returns its record."""
    folder = settings["backup_folder"]
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o700)
    os.umask(0o077)
    backups.clear(settings)
    at = int(time.time())
    while os.path.exists(backups.path_of(settings, time.strftime(backups.ID, time.gmtime(at)))):
        at += 1
    number = time.strftime(backups.ID, time.gmtime(at))
    path, part = backups.path_of(settings, number), backups.path_of(settings, number, "sql.gz.part")
    try:
        contents = snapshot(settings, part)
        unpacked = backups.verify_dump(part)
        record = {
            **{"id": number, "version": version, "transition": transition, "at": at, "copy": copy, "restored": False},
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
