"""Read a backup back into a server, and compare what is there then with what the backup says."""

import subprocess

import backups
from database import count, others_of, tables_of
from host import Refused, last_line


def read(settings, record, asked):
    """The dump through one session, which goes on with the privileges that it has: the dump replaces the accounts."""
    path = backups.path_of(settings, record["id"])
    with subprocess.Popen(["gzip", "-dc", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as unpacker:
        for chunk in iter(lambda: unpacker.stdout.read1(1 << 20), b""):
            asked.send(chunk)
        error = unpacker.stderr.read().decode(errors="replace")
    if unpacker.returncode != 0:
        raise Refused(f"{path} can't be unpacked: {last_line(error)}; allowed is a whole one")
    asked.ask("FLUSH PRIVILEGES", int(settings["database_seconds"]))


def differences(settings, record, asked):
    """What is otherwise than the backup says, one text each."""
    tables = tables_of(asked)
    names = {f"{schema}.{table}" for schema, table, *_ in tables}
    counted = count(asked, [table[:2] for table in tables], int(settings["database_seconds"]))
    others, accounts = others_of(asked)
    found = [f"{name} is missing" for name in sorted(set(record["rows"]) - names)]
    found += [f"{name} is there and should not be" for name in sorted(names - set(record["rows"]))]
    found += [
        f"{name} has {counted[name]} rows, allowed are {rows}"
        for name, rows in record["rows"].items()
        if rows is not None and counted.get(name, rows) != rows
    ]
    found += [f"{others[kind]} {kind}, allowed are {number}" for kind, number in record["others"].items() if others[kind] != number]
    return found + [f"account {name} is missing" for name in record["accounts"] if name not in accounts]
