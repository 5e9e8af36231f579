#!/usr/bin/env python3
"""Check the supervisor and the services of this host, as monitoring plugins do.

Usage: services-check.py NAME [--state FILE]

One line on stdout; ends with 0 (OK), 1 (WARNING: a service that is not of this host's role does not run), 2 (CRITICAL: the
supervisor or a service of the role does not run, or is missing) or 3 (UNKNOWN). FILE gets the code, the line and since
when it is so. While silenced it says what is so, and ends with 0.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from plugin import carry_out  # noqa: E402
from status import services_of, supervisor_runs, wrong_services  # noqa: E402


def check(settings):
    found, why = services_of(settings)
    wrong = [f"{name} {state}" for name, state in wrong_services(settings, found).items()]
    if not supervisor_runs(settings):
        wrong.insert(0, "the supervisor does not run")
    if why or wrong:
        return 2, ", ".join([*wrong, *([why] if why else [])])
    besides = [f"{name} {service['state']}" for name, service in found.items() if service["state"] != "RUNNING"]
    if besides:
        return 1, ", ".join(besides)
    return 0, f"{len(found)} services run"


carry_out("SERVICES", check, __doc__)
