#!/usr/bin/env python3
"""Wait until this host is healthy, and look whether it stays so; what was seen on stdout.

Usage: health.py NAME SECONDS WATCH-SECONDS

Supervisor up, all services of the role running, their disk not too full, on the main host a database that answers. Then for
WATCH-SECONDS no service may start again. One that does so three times is in a loop. Ends with 75 past the deadline.
"""

import os
import sys
import time
from collections import Counter

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import database  # noqa: E402
from disk import full  # noqa: E402
from host import Ends, TimedOut, load, log, start  # noqa: E402
from status import services_of, supervisor_runs, wrong_services  # noqa: E402

LOOP = 3


def ill(settings, found, why):
    """What is not as it must be, one text each."""
    wrong = [f"{name} is {state}" for name, state in wrong_services(settings, found).items()]
    wrong += [why] if why else []
    if not supervisor_runs(settings):
        wrong.append(f"`{settings['supervisor']}` does not say \"{settings.get('supervisor_says', '')}\"")
    wrong += [f"{path} is {percent} % full, allowed are {settings['disk_percent']}" for path, percent in full(settings).items()]
    if settings["main"] == "yes":
        try:
            answer = database.answers(settings)
        except Ends as end:
            answer = end
        wrong += [str(answer)] if answer else []
    return wrong


def started_again(before, now):
    """Services that run as another process than before, or for a shorter time."""
    both = [(name, before[name], now[name]) for name in now if name in before]
    return [
        name
        for name, one, two in both
        if None not in (one["pid"], two["pid"]) and (one["pid"] != two["pid"] or two["uptime_s"] < one["uptime_s"])
    ]


def main(name, seconds, watch):
    settings, deadline = load(name), time.monotonic() + int(seconds)
    wanted, starts, before, said = settings["services"].split(), Counter(), {}, None
    steady_since = None
    while True:
        found, why = services_of(settings)
        found = {name: found[name] for name in wanted if name in found}
        again = started_again(before, found)
        starts.update(again)
        loops = [name for name, times in starts.items() if times >= LOOP]
        if loops:
            raise TimedOut(f"{', '.join(loops)} starts again and again ({LOOP} times within {seconds} s); see its log")
        wrong = ill(settings, found, why)
        now = time.monotonic()
        steady_since = None if wrong or again else steady_since or now
        if steady_since and now - steady_since >= int(watch):
            break
        wrong = wrong or [f"{name} has started again" for name in again]
        if wrong and wrong != said:
            log("; ".join(wrong))
        said = wrong or said
        if now > deadline + (int(watch) if steady_since else 0):
            raise TimedOut(f"not healthy after {seconds} s: {'; '.join(wrong or said or ['not steady'])}")
        # The last process of a service counts, also when it is not running at this moment.
        before = {**before, **{name: service for name, service in found.items() if service["pid"]}}
        time.sleep(0.5)
    print(f"{len(wanted)} services run and stayed so for {watch} s")


if __name__ == "__main__":
    start(main, __doc__, 3, 3)
