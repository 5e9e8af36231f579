#!/usr/bin/env python3
"""Check the supervisor and the services of this host, in the form of a monitoring plugin.

Usage: services-check.py NAME [--state FILE]

One line on stdout; ends with 0 (OK), 1 (WARNING: a service outside this host's role does not run), 2 (CRITICAL: the
supervisor or a service of the role does not run, is missing, or has restarted at each of the last two checks) or 3
(UNKNOWN). FILE gets the code, the line and the time since which the code is the same. While alerts are silent it prints
the result, and ends with 0.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from monitoring import carry_out  # noqa: E402
from status import services_of, supervisor_runs, wrong_services  # noqa: E402


def check(settings, before):
    found, why = services_of(settings)
    # The name of a service may have colons.
    last, again = dict(word.rsplit(":", 1) for word in before.get("pids", "").split()), before.get("anew", "").split()
    now = {name: str(service["pid"]) for name, service in found.items() if service["pid"]}
    # A service that is down at this moment keeps its last verdict.
    anew = [name for name in found if (last.get(name, now[name]) != now[name] if name in now else name in again)]
    loops = [name for name in anew if name in now and name in again]
    pids = " ".join(f"{name}:{pid}" for name, pid in {**last, **now}.items())
    return *judged(settings, found, why, loops), {"pids": pids, "anew": " ".join(anew)}


def judged(settings, found, why, loops):
    wrong = [f"{name} {state}" for name, state in wrong_services(settings, found).items()]
    wrong += [f"{name} is in a restart loop" for name in loops]
    if not supervisor_runs(settings):
        wrong.insert(0, "the supervisor does not run")
    if why or wrong:
        return 2, ", ".join([*wrong, *([why] if why else [])])
    besides = [f"{name} {service['state']}" for name, service in found.items() if service["state"] != "RUNNING"]
    if besides:
        return 1, ", ".join(besides)
    return 0, f"{len(found)} services run"


carry_out("SERVICES", check, __doc__)
