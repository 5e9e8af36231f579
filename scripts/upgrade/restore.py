#!/usr/bin/env python3
"""Put a backup back over the database; what is to be done, or was done, on stdout.

Usage: restore.py NAME VERSION plan BACKUP-ID
       restore.py NAME VERSION load BACKUP-ID

`plan` says `load`, or why nothing is to be put back; refuses (77) when BACKUP-ID is `none`. `load` drops all
schemas but the system's, reads the backup, and compares. A run that died is run again: it begins anew.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import backups  # noqa: E402
from database import quoted, schemas_of, session  # noqa: E402
from history import brought, half_restored, is_newer, spent  # noqa: E402
from host import Refused, TimedOut, load, log, start  # noqa: E402
from reading import differences, read  # noqa: E402


def described(record):
    return f"{record['id']} ({time.strftime('%F %T UTC', time.gmtime(record['at']))}, {sum(rows or 0 for rows in record['rows'].values())} rows)"


def plan(settings, version, number):
    """The backup to put back; None when nothing is to be."""
    half = half_restored(settings)
    if not half and not is_newer(settings, version):
        return None
    said = f"half restored from backup {half}" if half else f"of {brought(settings)}, newer than {version}"
    known = [one for one in backups.backups(settings) if one["version"] == version and one["restored"] and not one["copy"]]
    good = [one for one in known if one["id"] not in spent(settings)]
    if not good:
        raise Refused(
            f"the database is {said}, and {settings['backup_folder']} has no backup of {version} that was restored on trial; "
            "allowed is a version that it has one of, or one that is as new as the database"
        )
    named = next((one for one in good if one["id"] == number), None)
    if number != "none" and not named:
        raise Refused(f"{number} is no backup of {version} that was restored on trial; allowed are {', '.join(map(described, good))}")
    if not named:
        raise Refused(
            f"the database is {said}: backup {described(good[0])} has to be put in its place, and what was written since is lost; "
            f'to permit it: acceptDataLoss: "{good[0]["id"]}: why"'
        )
    backups.require_whole(settings, named)
    return named


def guests(asked):
    """Who else is in the database."""
    rows = asked.ask(
        "SELECT user, host FROM information_schema.processlist WHERE id <> CONNECTION_ID() "
        "AND user NOT IN ('system user', 'event_scheduler') AND command <> 'Daemon'"
    )
    return sorted({"@".join(row) for row in rows})


def put_back(settings, record):
    with session(settings) as asked:
        there = guests(asked)
        if there:
            raise Refused(f"{', '.join(there)} still uses the database; allowed is nobody while it is put back; stop what it is and run again")
        for schema in schemas_of(asked):
            log(f"dropping {schema}")
            asked.ask(f"DROP DATABASE {quoted(schema)}", int(settings["database_seconds"]))
        log(f"reading backup {record['id']}")
        read(settings, record, asked)
        wrong = differences(settings, record, asked)
    if wrong:
        raise TimedOut(f"backup {record['id']} is put back, but {'; '.join(wrong[:5])}; run again")


def main(name, version, what, number):
    settings = load(name)
    record = plan(settings, version, number)
    if what == "plan":
        print("load" if record else f"nothing is to be put back: the database is not newer than {version}")
    elif what == "load" and record:
        put_back(settings, record)
        print(f"backup {described(record)} of {version} is put back")
    else:
        sys.exit(64)


if __name__ == "__main__":
    start(main, __doc__, 4, 4)
