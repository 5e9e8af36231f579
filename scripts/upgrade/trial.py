#!/usr/bin/env python3
"""Restore the backup of a transition into a server of its own, and compare; what was found on stdout, for receipt_of in lib.sh.

Usage: trial.py NAME TRANSITION-ID

Refuses (77) on any difference and notes it with the backup, so that it is not taken for a good one: the next run makes another
one first. The server is removed in every case; one that was left by a kill is removed by the next run, and runs no more.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import backups  # noqa: E402
from backup import make  # noqa: E402
from host import Refused, load, log, start  # noqa: E402
from reading import differences, read  # noqa: E402
from scratch import Scratch  # noqa: E402


def wrong_with(settings, record):
    """What speaks against the backup, one text each."""
    try:
        backups.require_whole(settings, record)
    except Refused as end:
        return [str(end)]
    with Scratch(settings, record) as scratch:
        log(f"reading backup {record['id']} into a server of its own")
        try:
            read(settings, record, scratch)
        except Refused as end:
            return [str(end)]
        return differences(settings, record, scratch)


def main(name, transition):
    settings = load(name)
    record = backups.of_transition(settings, transition)
    if not record:
        raise Refused(f"{settings['backup_folder']} has no backup of this transition; allowed is one: upgrade/backup.sh")
    if "wrong" in record:
        log(f"{record['wrong']}: making another one")
        log(make(settings, transition, None))
        record = backups.of_transition(settings, transition)
    if record["restored"]:
        print(f"backup {record['id']} was restored on trial already\nbackup={record['id']}")
        return
    began = time.monotonic()
    wrong = wrong_with(settings, record)
    if wrong:
        said = f"backup {record['id']}, restored on trial: {'; '.join(wrong[:5])}" + ("; …" if wrong[5:] else "")
        backups.write(settings, {**record, "wrong": said})
        raise Refused(f"{said}; allowed is no difference; mend the dump program or the database, and run again: another one is made first")
    seconds = round(time.monotonic() - began, 1)
    backups.write(settings, {**record, "restored": True, "restored_s": seconds})
    print(f"backup {record['id']} was restored on trial in {seconds} s: {record['tables']} tables as they were\nbackup={record['id']}")


if __name__ == "__main__":
    start(main, __doc__, 2, 2)
