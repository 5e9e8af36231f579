#!/usr/bin/env python3
"""Make a verified backup of the main database; its id and contents on stdout.

Usage: backup.py NAME TRANSITION-ID make [MINUTES [KEPT]]
       backup.py NAME TRANSITION-ID copy
       backup.py NAME TRANSITION-ID require MINUTES

`make` does nothing if this transition has an intact backup that is not older than MINUTES. It removes surplus old backups,
but never KEPT. `copy` keeps the current database before a restore overwrites it; no transition uses a copy as its backup.
`require` prints the id of this transition's backup. It refuses (77) a backup that has not passed its trial restore, or is
older than MINUTES.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import backups  # noqa: E402
import clocks  # noqa: E402
import dump  # noqa: E402
from history import half_restored, schema_version  # noqa: E402
from host import Refused, load, log, start  # noqa: E402
from packages import installed  # noqa: E402


def version_of(settings):
    """The version that the schema belongs to: the package may be newer. None if the database is half restored."""
    return None if half_restored(settings) else schema_version(settings) or installed(settings)[0]


def minutes_of(record):
    """The age of a backup. One that is still to come, by a clock that went back, is older than any limit."""
    age = clocks.age(record)
    return float("inf") if age is None else age / 60


def age_of(record):
    minutes = minutes_of(record)
    return f"{minutes:.0f} min old" if minutes != float("inf") else "of a time that the clock has not reached"


def described(record, event):
    rows = sum(count or 0 for count in record["rows"].values())
    inexact = sum(count is None for count in record["rows"].values())
    return (
        f"backup {record['id']} of {record['version'] or 'a half restored database'} {event}: {record['tables']} tables, {rows} rows, "
        f"{record['bytes']} bytes" + (f"; {inexact} tables without snapshots: as the dump has them, not as they were at its moment" if inexact else "")
    )


def make(settings, transition, minutes):
    earlier = backups.of_transition(settings, transition)
    if earlier and "wrong" not in earlier and (not minutes or minutes_of(earlier) < int(minutes)):
        if backups.is_whole(settings, earlier):
            return described(earlier, "already exists")
        log(f"backup {earlier['id']} is damaged: making a new one")
    return described(dump.take(settings, transition, version_of(settings)), "is made")


def require(settings, transition, minutes):
    backup = backups.of_transition(settings, transition)
    if not backup:
        raise Refused(f"{settings['backup_folder']} has no backup of this transition; make one: upgrade/backup-database.sh")
    if not backup["restored"]:
        raise Refused(f"backup {backup['id']} has not passed its trial restore; try it: upgrade/try-restore.sh")
    if minutes_of(backup) >= int(minutes):
        age = f"{age_of(backup)} (allowed: {minutes} min)"
        raise Refused(f"backup {backup['id']} is {age}; make a new one: upgrade/backup-database.sh")
    return backup["id"]


def main(name, transition, what, minutes=None, kept=None):
    settings = load(name)
    if what == "make":
        print(make(settings, transition, minutes))
        backups.retain(settings, kept)
    elif what == "copy":
        print(dump.take(settings, transition, version_of(settings), copy=True)["id"])
    elif what == "require" and minutes:
        print(require(settings, transition, minutes))
    else:
        sys.exit(64)


if __name__ == "__main__":
    start(main, __doc__, 3, 5)
