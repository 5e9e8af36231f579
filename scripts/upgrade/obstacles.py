"""What keeps a backup from being read back into a server, looked for while nothing is lost."""

import os
import time

from contents import by_transaction, tables_of
from disk import free_bytes
from host import Refused
from stage import variables

# What a server makes in the folder of a schema; it removes the folder only if nothing else is in it.
MADE = (".frm .ibd .isl .cfg .opt .par .myd .myi .mad .mai .mrg .csv .csm .arz .arn .arm .trg .trn .tmd .sdi .blk .cfp .bak").split()
SPARE_MIB = 256
# A transaction that stays prepared for longer has nobody who ends it.
DOUBT_S = 5
# Fewer rows than this would be an answer cut short.
MOST = 1 << 62


def folders(asked):
    """The folders of schemas in the server's own, if this process sees them."""
    place = asked.ask("SELECT @@datadir")[0][0]
    if not os.path.isdir(f"{place}/mysql"):
        return []
    own = ("mysql", "sys", "performance_schema", "lost+found")
    return [entry.path for entry in os.scandir(place) if entry.is_dir() and entry.name not in own and not entry.name.startswith(("#", "."))]


def foreign_files(asked):
    """Files that are no server's, in the folders of schemas: DROP DATABASE stops at them, with the tables gone."""
    return [
        entry.path
        for folder in folders(asked)
        for entry in os.scandir(folder)
        if not (entry.name.startswith("#sql") or os.path.splitext(entry.name)[1].lower() in MADE)
    ]


def replicated(asked):
    """Whether the writes of another server are applied here."""
    rows = asked.ask(
        "SELECT COUNT(*) FROM information_schema.processlist "
        "WHERE user = 'system user' AND command IN ('Slave_SQL', 'Slave_worker', 'Connect')"
    )
    return int(rows[0][0]) > 0


def in_doubt(asked):
    """Transactions that were prepared and neither committed nor rolled back."""
    return [row[-1] for row in asked.ask("XA RECOVER")]


def lasting_doubts(asked):
    """Those that stay so."""
    left, deadline = in_doubt(asked), time.monotonic() + DOUBT_S
    while left and time.monotonic() < deadline:
        time.sleep(0.2)
        now = in_doubt(asked)
        left = [name for name in left if name in now]
    return left


def found(asked):
    """One string each, with its cure."""
    wrong, files = [], foreign_files(asked)
    if files:
        wrong.append(f"{', '.join(files[:3])} {'is' if len(files) == 1 else 'are'} in the folder of a schema, and no server made it; move it away")
    if replicated(asked):
        wrong.append("the database applies the writes of another server; allowed: none (STOP SLAVE), since they would go on during a restore")
    if variables(asked, ("innodb_force_recovery",)).get("innodb_force_recovery", "0") != "0":
        wrong.append("innodb_force_recovery is set (allowed: 0), so nothing can be written back")
    most = int(variables(asked, ("sql_select_limit",)).get("sql_select_limit", MOST))
    if most < MOST:
        wrong.append(f"sql_select_limit is {most} for all, and dump programs obey it; allowed: DEFAULT")
    return wrong


def require_none(asked):
    """@raise Refused with all that a restore would meet"""
    wrong = found(asked)
    if any(table.versioned for table in tables_of(asked)):
        cure = "allowed: TIMESTAMP columns, or no history"
        wrong += [f"{name} keeps its history by transactions, which no dump has; {cure}" for name in by_transaction(asked)]
    left = lasting_doubts(asked)
    if left:
        wrong.append(f"XA transaction {left[0]} is prepared: no backup has it, and it holds its tables; commit it or roll it back")
    if wrong:
        raise Refused(f"a backup could not be restored: {'; '.join(wrong)}")


def require_room(asked, record):
    """Room for the data of a backup where the server has its own, which a restore removes first."""
    place = asked.ask("SELECT @@datadir")[0][0]
    if not os.path.isdir(place):
        return
    needed = max(record["data_bytes"], record["unpacked_bytes"]) * 5 // 4
    logged = record["unpacked_bytes"] if asked.ask("SELECT @@log_bin")[0][0] == "1" else 0
    free, own = free_bytes(place), sum(table.bytes for table in tables_of(asked))
    if free + own < needed + logged + (SPARE_MIB << 20):
        raise Refused(
            f"{place} has {free >> 20} MiB free and {own >> 20} MiB of the data that is replaced "
            f"(needed: {(needed + logged) >> 20} MiB, and {SPARE_MIB} MiB spare); make room and run again"
        )
