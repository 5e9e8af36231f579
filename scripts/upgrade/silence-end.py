#!/usr/bin/env python3
"""Turn alerts on again if a silence is past its end and nothing has ended it, as after a power cut.

Usage: silence-end.py NAME
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from host import ROOT, load, log, pairs_of, run_line, start  # noqa: E402

# The silence's own timer runs first.
LATER_S = 120


def expire(records):
    """Mark the transition that silenced the alerts as expired: its next step refuses."""
    temporary = f"{records}/temporary/silence"
    transition = (pairs_of(temporary) or {}).get("id")
    if transition:
        try:
            os.makedirs(f"{records}/expired", exist_ok=True)
            with open(f"{records}/expired/{transition}", "w", encoding="utf8") as expired:
                expired.write("silence\n")
        except OSError as error:
            log(f"{records}/expired/{transition} can't be written: {error.strerror}")
        os.unlink(temporary)


def main(name):
    settings, file = load(name), f"{ROOT}/{name}/silenced"
    until = (pairs_of(file) or {}).get("until", "")
    if not until.isdigit() or time.time() < int(until) + LATER_S:
        return
    if settings.get("unsilence") and run_line(settings["unsilence"], 60)[0] != 0:
        sys.exit(1)
    expire(f"{ROOT}/{name}")
    os.unlink(file)


start(main, __doc__, 1, 1)
