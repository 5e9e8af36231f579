"""A trial restore: a backup is read into a scratch server on the stage of production, and compared."""

import backups
from eased import EASED
from host import Refused, log
from scratch import Scratch
from session import session
from stage import stage_of, take_over
from verify_restore import differences, read


def wrong_with(settings, record):
    """The problems of the backup on the stage of today, one string each."""
    try:
        backups.require_whole(settings, record)
    except Refused as end:
        return [str(end)]
    with session(settings) as asked, Scratch(settings, record, stage_of(asked), asked) as scratch:
        log(f"reading backup {record['id']} into a scratch server")
        take_over(scratch.root, EASED, "GLOBAL")
        try:
            read(settings, record, scratch.reading())
            return differences(settings, record, scratch.root, scratch.dumping)
        except Refused as end:
            return [str(end)]
