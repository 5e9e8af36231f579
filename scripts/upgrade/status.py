#!/usr/bin/env python3
"""The state of this host's services: JSON on stdout. Read-only.

Usage: status.py NAME [active | missing]

`active` prints the services that run or that the supervisor keeps starting, or why they are unknown. `missing` prints the
services of this role that do not run. One line, which may be empty.
"""

import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from host import last_line, load, run_line, start  # noqa: E402

LIMIT_S = 10
LINE = re.compile(r"(\S+)\s+([A-Z][A-Z_]*)(?:\s+(.*))?")
RUNS = re.compile(r"pid (\d+), uptime (?:(\d+) days?, )?(\d+):(\d\d):(\d\d)")
AT_REST = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")


def parse(text):
    """{name: {state, pid, uptime_s}} of the lines that supervisord prints; other lines are ignored."""
    found = {}
    for line in text.splitlines():
        parts = LINE.fullmatch(line.strip())
        if not parts:
            continue
        name, state, rest = parts.groups()
        runs = RUNS.match(rest or "")
        pid, days, hours, minutes, seconds = (int(number or 0) for number in runs.groups()) if runs else (0,) * 5
        uptime = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        found[name] = {"state": state, "pid": pid or None, "uptime_s": uptime if runs else None}
    return found


def supervisor_runs(settings):
    """Whether the supervisor runs, by its own status command."""
    code, said = run_line(settings["supervisor"], LIMIT_S)
    wanted = settings.get("supervisor_says")
    return code is not None and (wanted in said if wanted else code == 0)


def services_of(settings):
    """The services by the supervisor's status, and why they are unknown."""
    code, said = run_line(settings["status"], LIMIT_S)
    if code is None:
        return {}, f"`{settings['status']}` took longer than {LIMIT_S} s"
    found = parse(said)
    return found, f"`{settings['status']}` prints no service: {last_line(said)}" if said and not found else None


def wrong_services(settings, found):
    """{name: state} of the role's services that do not run; `missing` for an unknown service."""
    wanted = settings.get("services", "").split()
    states = {name: found.get(name, {"state": "missing"})["state"] for name in wanted}
    return {name: state for name, state in states.items() if state != "RUNNING"}


def active(settings):
    """Services that run or start. Without a supervisor there are none, unless its status takes too long."""
    found, why = services_of(settings)
    names = [f"{name} {service['state']}" for name, service in found.items() if service["state"] not in AT_REST]
    return names or ([why] if why and (why.endswith(" s") or supervisor_runs(settings)) else [])


def main(name, what=None):
    settings = load(name)
    if what == "active":
        print(", ".join(active(settings)))
    elif what == "missing":
        print(", ".join(wrong_services(settings, services_of(settings)[0])))
    else:
        found, why = services_of(settings)
        print(json.dumps({"supervisor": supervisor_runs(settings), "services": found, "why": why}))


if __name__ == "__main__":
    start(main, __doc__, 1, 2)
