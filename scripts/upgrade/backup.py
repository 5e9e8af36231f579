#!/usr/bin/env python3
"""Make a verified backup of the whole database; its id and what is in it on stdout.

Usage: backup.py NAME TRANSITION-ID make [MINUTES [KEPT]]
       backup.py NAME TRANSITION-ID copy
       backup.py NAME TRANSITION-ID require MINUTES

`make` does nothing when this transition has a backup that is whole and not older than MINUTES; of old ones it removes those
that are too many, but not KEPT. `copy` keeps what there is before
a restore overwrites it; no transition counts it as its backup. `require` refuses (77) unless the backup of this transition was
restored on trial and is not older than MINUTES; it prints its id.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import backups  # noqa: E402
import dump  # noqa: E402
from history import brought, half_restored  # noqa: E402
from host import Refused, load, log, start  # noqa: E402
from packages import installed  # noqa: E402


def version_of(settings):
    """The version that what is in the database belongs to: the package may be ahead of it. None when it is half restored."""
    return None if half_restored(settings) else brought(settings) or installed(settings)[0]


def minutes_of(record):
    return (time.time() - record["at"]) / 60


def described(record, did):
    rows = sum(count or 0 for count in record["rows"].values())
    inexact = sum(count is None for count in record["rows"].values())
    return (
        f"backup {record['id']} of {record['version'] or 'a half restored database'} {did}: {record['tables']} tables, {rows} rows, "
        f"{record['bytes']} bytes" + (f"; {inexact} tables without snapshots are compared by name" if inexact else "")
    )


def make(settings, transition, minutes):
    before = backups.of_transition(settings, transition)
    if before and "wrong" not in before and (not minutes or minutes_of(before) < int(minutes)):
        if backups.is_whole(settings, before):
            return described(before, "is there already")
        log(f"backup {before['id']} is damaged: making another one")
    return described(dump.take(settings, transition, version_of(settings)), "is made")


def require(settings, transition, minutes):
    found = backups.of_transition(settings, transition)
    if not found:
        raise Refused(f"{settings['backup_folder']} has no backup of this transition; allowed is one that was restored on trial")
    if not found["restored"]:
        raise Refused(f"backup {found['id']} was not restored on trial; allowed is one that was: upgrade/trial.sh")
    if minutes_of(found) >= int(minutes):
        raise Refused(f"backup {found['id']} is {minutes_of(found):.0f} min old, allowed are {minutes}")
    return found["id"]


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
