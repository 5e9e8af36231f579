"""Read a backup into a server, and compare the result with the backup's record."""

import subprocess

import backups
import canonical
import dump
from contents import checksums, count, others_of, tables_of
from host import Refused, last_line
from stage import READING, take_over, variables


def read(settings, record, asked):
    """Read the dump through one session, which keeps its privileges while the dump replaces the accounts."""
    path = backups.path_of(settings, record["id"])
    take_over(asked, READING)
    # To the server it is the moment of the backup: an event that was to come then is none of the past.
    if variables(asked, ("secure_timestamp",)).get("secure_timestamp", "NO") in ("NO", "SUPER"):
        asked.ask(f"SET SESSION timestamp = {int(record['at'])}")
    with subprocess.Popen(["gzip", "-dc", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as unpacker:
        for chunk in iter(lambda: unpacker.stdout.read1(1 << 20), b""):
            asked.send(chunk)
        error = unpacker.stderr.read().decode(errors="replace")
    if unpacker.returncode != 0:
        raise Refused(f"{path} can't be unpacked: {last_line(error)}; allowed: an intact backup")
    asked.ask("FLUSH PRIVILEGES", int(settings["database_seconds"]))


def differences(settings, record, asked, dumping):
    """Differences from the backup's record, one string each. `dumping(options)` is the command that dumps the server."""
    tables, seconds = tables_of(asked), int(settings["database_seconds"])
    names, rows = {table.full for table in tables}, record["rows"]
    # Rows are compared only where a snapshot has counted them; a table of another server is not asked.
    safe = [table for table in tables if rows.get(table.full) is not None]
    counted = count(asked, safe, seconds)
    others, accounts = others_of(asked)
    found = [f"{name} is missing" for name in sorted(set(rows) - names)]
    found += [f"{name} is not in the backup's record" for name in sorted(names - set(rows))]
    found += [f"{name} has {number} rows (allowed: {rows[name]})" for name, number in counted.items() if number != rows[name]]
    found += [f"{others[kind]} {kind} (allowed: {number})" for kind, number in record["others"].items() if others[kind] != number]
    found += [f"account {name} is missing" for name in record["accounts"] if name not in accounts]
    # A record of an older release has no more than this.
    if found or "digest" not in record:
        return found
    sums = checksums(asked, [table for table in safe if table.full in record["sums"]], seconds)
    found += [f"{name} has other bytes" for name, total in sums.items() if total != record["sums"][name]]
    after = dump.digest_of(dumping(dump.options_for(settings, tables)))
    return found + [f"another dump differs in {title}" for title in canonical.differences(record["digest"], after)]
