#!/usr/bin/env python3
"""Restore the backup of a transition into a scratch server, and compare; the result on stdout, for receipt_of in lib.sh.

Usage: try-restore.py NAME TRANSITION-ID

Refuses (77) any difference, and records it with the backup, so that the next run makes a new backup first. The scratch
server is always removed; the next run removes the leftovers of a killed one.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import backups  # noqa: E402
from backup import make  # noqa: E402
from host import Refused, load, log, start  # noqa: E402
from trial import wrong_with  # noqa: E402


def main(name, transition):
    settings = load(name)
    record = backups.of_transition(settings, transition)
    if not record:
        raise Refused(f"{settings['backup_folder']} has no backup of this transition; make one: upgrade/backup-database.sh")
    if "wrong" in record:
        log(f"{record['wrong']}: making a new one")
        log(make(settings, transition, None))
        record = backups.of_transition(settings, transition)
    if record["restored"]:
        print(f"backup {record['id']} has already passed its trial restore\nbackup={record['id']}")
        return
    began = time.monotonic()
    wrong = wrong_with(settings, record)
    if wrong:
        said = f"trial restore of backup {record['id']} differs: {'; '.join(wrong[:5])}" + ("; …" if wrong[5:] else "")
        backups.write(settings, {**record, "wrong": said})
        raise Refused(f"{said}; allowed: no difference; repair the dump program or the database and run again, which makes a new backup first")
    seconds = round(time.monotonic() - began, 1)
    backups.write(settings, {**record, "restored": True, "restored_s": seconds})
    print(f"backup {record['id']} passed its trial restore in {seconds} s: {record['tables']} tables, no difference\nbackup={record['id']}")


if __name__ == "__main__":
    start(main, __doc__, 2, 2)
