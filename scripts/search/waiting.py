"""Waits with a deadline, in words. Imported by the steps of this folder."""

import time

from cluster import NoAnswer, end, narrate


def until(what, seconds, why, pause=0.1):
    """Ask `why` until it says nothing; past the deadline it ends with 75. A cluster without an answer is asked again."""
    deadline, told, last = time.monotonic() + seconds, time.monotonic() + 3, ""
    while True:
        try:
            last = why()
        except NoAnswer as error:
            last = str(error)
        if not last:
            return
        now = time.monotonic()
        if now > deadline:
            end(75, f"{what}: not so after {seconds} s: {last}")
        if now > told:
            narrate(f"waiting until {what}: {last}")
            told = now + 10
        time.sleep(pause)
