"""Read a backup into a server, and compare the result with the backup's record."""

import subprocess

import backups
from contents import count, others_of, tables_of
from host import Refused, last_line


def read(settings, record, asked):
    """Read the dump through one session, which keeps its privileges while the dump replaces the accounts."""
    path = backups.path_of(settings, record["id"])
    with subprocess.Popen(["gzip", "-dc", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as unpacker:
        for chunk in iter(lambda: unpacker.stdout.read1(1 << 20), b""):
            asked.send(chunk)
        error = unpacker.stderr.read().decode(errors="replace")
    if unpacker.returncode != 0:
        raise Refused(f"{path} can't be unpacked: {last_line(error)}; allowed: an intact backup")
    asked.ask("FLUSH PRIVILEGES", int(settings["database_seconds"]))


def differences(settings, record, asked):
    """Differences from the backup's record, one string each."""
    tables = tables_of(asked)
    names = {f"{schema}.{table}" for schema, table, *_ in tables}
    counted = count(asked, [table[:2] for table in tables], int(settings["database_seconds"]))
    others, accounts = others_of(asked)
    found = [f"{name} is missing" for name in sorted(set(record["rows"]) - names)]
    found += [f"{name} is not in the backup's record" for name in sorted(names - set(record["rows"]))]
    found += [
        f"{name} has {counted[name]} rows (allowed: {rows})"
        for name, rows in record["rows"].items()
        if rows is not None and counted.get(name, rows) != rows
    ]
    found += [f"{others[kind]} {kind} (allowed: {number})" for kind, number in record["others"].items() if others[kind] != number]
    return found + [f"account {name} is missing" for name in record["accounts"] if name not in accounts]
