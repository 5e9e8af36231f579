#!/usr/bin/env python3
"""Wait until this host is healthy, then watch that it stays healthy; the result on stdout.

Usage: health.py NAME SECONDS WATCH-SECONDS

Healthy: the supervisor and all services of the role run, disk usage is within its limit, the main database answers. Then no
service may restart for WATCH-SECONDS. Three restarts are a restart loop. Ends with 75 past the deadline.
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

# So many restarts are a loop.
LOOP = 3


def problems(settings, found, why):
    """The problems of this host, one string each."""
    wrong = [f"{name} is {state}" for name, state in wrong_services(settings, found).items()]
    wrong += [why] if why else []
    if not supervisor_runs(settings):
        wrong.append(f"`{settings['supervisor']}` does not print \"{settings.get('supervisor_says', '')}\"")
    wrong += [f"{path} is {percent} % full (allowed: {settings['disk_percent']} %)" for path, percent in full(settings).items()]
    if settings["main"] == "yes":
        try:
            answer = database.answers(settings)
        except Ends as end:
            answer = end
        wrong += [str(answer)] if answer else []
    return wrong


def started_again(before, now):
    """Services with another process than before, or a shorter uptime."""
    both = [(name, before[name], now[name]) for name in now if name in before]
    return [
        name
        for name, old, new in both
        if None not in (old["pid"], new["pid"]) and (old["pid"] != new["pid"] or new["uptime_s"] < old["uptime_s"])
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
            raise TimedOut(f"{', '.join(loops)} is in a restart loop ({LOOP} restarts within {seconds} s); read its log")
        wrong = problems(settings, found, why)
        now = time.monotonic()
        steady_since = None if wrong or again else steady_since or now
        if steady_since and now - steady_since >= int(watch):
            break
        wrong = wrong or [f"{name} has restarted" for name in again]
        if wrong and wrong != said:
            log("; ".join(wrong))
        said = wrong or said
        if now > deadline + (int(watch) if steady_since else 0):
            raise TimedOut(f"not healthy after {seconds} s: {'; '.join(wrong or said or ['services restart'])}")
        # A service that is down at this moment keeps its last process.
        before = {**before, **{name: service for name, service in found.items() if service["pid"]}}
        time.sleep(0.5)
    print(f"{len(wanted)} services have run without a restart for {watch} s")


if __name__ == "__main__":
    start(main, __doc__, 3, 3)
