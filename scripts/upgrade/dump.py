"""Make a dump of the whole database, and count its rows in the same snapshot."""

import contextlib
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import backups
from database import count, others_of, session, tables_of, tool
from disk import free_bytes
from host import Refused, last_line, log

OPTIONS = (
    *("--all-databases", "--single-transaction", "--quick", "--routines", "--events", "--triggers", "--hex-blob"),
    *("--comments", "--dump-date", "--default-character-set=utf8mb4", "--max-allowed-packet=1G"),
)
# The first words of a dump that its transaction has begun before.
BEGUN = b"\n-- Current Database: "
MARK = b"\n-- Dump completed"
LOCK_S = 20


def require_room(settings, size):
    """The database may not fit compressed as it did last time: what it takes uncompressed is a bound."""
    before = backups.backups(settings)
    needed = before[0]["bytes"] * 5 // 4 if before else size
    free = free_bytes(settings["backup_folder"])
    if free < needed + (64 << 20):
        raise Refused(
            f"{settings['backup_folder']} has {free >> 20} MiB free, a dump takes up to {needed >> 20} MiB and 64 are left free; "
            "make room, or name another backup_folder, and run again"
        )


def pump(dump, packer, begun):
    """Hand the dump on to gzip; `begun` is called when its transaction has begun."""
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


def verify(path):
    """Unpack what is on the disk: it must be whole, and end as a dump does."""
    end, size = b"", 0
    with subprocess.Popen(["gzip", "-dc", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as unpacker:
        for chunk in iter(lambda: unpacker.stdout.read1(1 << 20), b""):
            end, size = (end + chunk)[-4096:], size + len(chunk)
        error = last_line(unpacker.stderr.read().decode(errors="replace"))
    if unpacker.returncode != 0 or os.path.getsize(path) == 0:
        raise Refused(f"the dump can't be unpacked: {error}; allowed is a whole one; nothing was kept, run again")
    last = end.rstrip().rpartition(b"\n")[2]
    if MARK not in b"\n" + last:
        said = last[:80].decode(errors="replace")
        raise Refused(f'the dump ends with "{said}", allowed is its end marker "-- Dump completed": it is cut off; nothing was kept, run again')
    return size


def packed(settings, part, begun):
    """Dump and gzip into a file; the exit codes of both count."""
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
            f"the dump ended with {codes[0]} and gzip with {codes[1]}, allowed are 0 and 0; last words: {error}; "
            "nothing was kept, mend it and run again"
        )


def snapshot(settings, part):
    """Dump into a file; {schema.table: rows} of the same moment, and what else there is."""
    seconds = int(settings["database_seconds"])
    with ThreadPoolExecutor(1) as threads, session(settings) as lock, session(settings) as counting:
        # A session that stands still must not hold up the application: the database ends it.
        lock.ask(f"SET SESSION lock_wait_timeout = {LOCK_S}, SESSION wait_timeout = 60")
        rows = []

        def begun():
            lock.ask("UNLOCK TABLES")
            log(f"writes stood still for {time.monotonic() - locked:.2f} s")
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
    # Engines without snapshots are compared by name only.
    return {
        "tables": len(tables),
        "rows": {f"{schema}.{table}": counted.get(f"{schema}.{table}") for schema, table, *_ in tables},
        "data_bytes": sum(table[3] for table in tables),
        "others": others,
        "accounts": accounts,
        "server": dict(zip(("version", "lower_case_table_names", "innodb_page_size"), server)),
    }


def take(settings, transition, version, copy=False):
    """A verified backup; its record."""
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
        found = snapshot(settings, part)
        unpacked = verify(part)
        record = {
            **{"id": number, "version": version, "transition": transition, "at": at, "copy": copy, "restored": False},
            **{"bytes": os.path.getsize(part), "unpacked_bytes": unpacked, "sha256": backups.digest(part)},
            **found,
        }
        backups.write(settings, record)
        os.rename(part, path)
        backups.sync_folder(folder)
    finally:
        if os.path.exists(part):
            os.unlink(part)
    return record
