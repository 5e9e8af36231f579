#!/usr/bin/env python3
"""Restore a backup over the main database; the plan or the result on stdout.

Usage: restore.py NAME VERSION plan BACKUP-ID
       restore.py NAME VERSION check BACKUP-ID
       restore.py NAME VERSION load BACKUP-ID

`plan` prints `load`, or why no restore is needed; it refuses (77) a needed restore if BACKUP-ID is `none`. `check` refuses what
a restore would meet on its way, and changes nothing. `load` drops all schemas but the system's, reads the backup, and compares.
After an interruption run it again: it starts over.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import backups  # noqa: E402
import obstacles  # noqa: E402
from contents import quoted, schemas_of  # noqa: E402
from database import answers, tool  # noqa: E402
from eased import Eased  # noqa: E402
from history import half_restored, is_newer, schema_version, spent  # noqa: E402
from host import Refused, TimedOut, load, log, start  # noqa: E402
from session import session  # noqa: E402
from stage import stage_of  # noqa: E402
from trial import wrong_with  # noqa: E402
from verify_restore import differences, read  # noqa: E402


def described(record):
    return f"{record['id']} ({time.strftime('%F %T UTC', time.gmtime(record['at']))}, {sum(rows or 0 for rows in record['rows'].values())} rows)"


def plan(settings, version, number):
    """The backup to restore, or None if no restore is needed."""
    half = half_restored(settings)
    if not half and not is_newer(settings, version):
        return None
    state = f"is half restored from backup {half}" if half else f"belongs to {schema_version(settings)}, newer than {version}"
    known = [record for record in backups.backups(settings) if record["version"] == version and record["restored"] and not record["copy"]]
    good = [record for record in known if record["id"] not in spent(settings)]
    if not good:
        raise Refused(
            f"the database {state}, and {settings['backup_folder']} has no backup of {version} that passed its trial restore; "
            "allowed: a version with such a backup, or a version as new as the database"
        )
    named = next((record for record in good if record["id"] == number), None)
    if number != "none" and not named:
        raise Refused(f"{number} is not a backup of {version} that passed its trial restore; allowed: {', '.join(map(described, good))}")
    if not named:
        raise Refused(
            f"the database {state}: backup {described(good[0])} must replace it, and everything written since is lost; "
            f'to accept the loss, set acceptDataLoss: "{good[0]["id"]}: why"'
        )
    backups.require_whole(settings, named)
    return named


def guests(asked):
    """Other clients of the database. Another server that reads its log is none."""
    rows = asked.ask(
        "SELECT user, host FROM information_schema.processlist WHERE id <> CONNECTION_ID() "
        "AND user NOT IN ('system user', 'event_scheduler') AND command NOT IN ('Daemon', 'Binlog Dump', 'Binlog Dump GTID')"
    )
    return sorted({"@".join(row) for row in rows})


def require_free(asked):
    """Nobody else writes, and nothing holds a table."""
    clients, doubts, wrong = guests(asked), obstacles.in_doubt(asked), obstacles.found(asked)
    if clients:
        raise Refused(f"{', '.join(clients)} still uses the database (allowed: no client during a restore); stop that client and run again")
    if doubts:
        raise Refused(f"XA transaction {doubts[0]} is prepared and holds its tables; commit it or roll it back (XA RECOVER), and run again")
    if wrong:
        raise Refused(f"the database can't be replaced: {'; '.join(wrong)}; then run again")


def check(settings, record):
    """All that can fail is tried before anything is dropped: on another stage than at its trial, the whole backup."""
    with session(settings) as asked:
        require_free(asked)
        obstacles.require_room(asked, record)
        known = stage_of(asked) == record["server"]
    if known:
        return
    log(f"the database is not as it was at the backup: trying to restore backup {record['id']} first")
    wrong = wrong_with(settings, record)
    if wrong:
        raise Refused(
            f"backup {record['id']} can't be restored into the database of today: {'; '.join(wrong[:5])}; nothing was dropped; "
            "fix the cause and run again"
        )


def put_back(settings, record):
    seconds = int(settings["database_seconds"])
    with session(settings) as control, Eased(settings, control):
        require_free(control)
        obstacles.require_room(control, record)
        control.ask("SET SESSION foreign_key_checks = 0, SESSION lock_wait_timeout = 60")
        for schema in schemas_of(control):
            log(f"dropping {schema}")
            control.ask(f"DROP DATABASE {quoted(schema)}", seconds)
        log(f"reading backup {record['id']}")
        with session(settings) as reading:
            read(settings, record, reading)
        denied = answers(settings)
        if denied:
            raise Refused(f"backup {record['id']} is read, with the accounts of then: {denied}")
        wrong = differences(settings, record, control, lambda options: tool(settings, "dump", *options))
    if wrong:
        raise TimedOut(f"backup {record['id']} is restored with differences: {'; '.join(wrong[:5])}; run again")


def main(name, version, what, number):
    settings = load(name)
    record = plan(settings, version, number)
    if what == "plan":
        print("load" if record else f"no restore is needed: the database is not newer than {version}")
    elif what == "check" and record:
        check(settings, record)
    elif what == "load" and record:
        put_back(settings, record)
        print(f"backup {described(record)} of {version} is restored")
    else:
        sys.exit(64)


if __name__ == "__main__":
    start(main, __doc__, 4, 4)
