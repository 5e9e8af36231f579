#!/usr/bin/env python3
"""Clients of one address of a pool, from HAProxy's log: each requested host name, how often, and when last.

Usage: clients.py POOL ADDRESS:PORT DAYS [DEADLINE]
"""

import re
import subprocess
import time

import pool as pools
from exit_codes import counted, judged, refused, run

# `log-format` of the configuration: client, [time], the address of the site, …, {the requested host name}.
LINE = re.compile(r"^(?P<at>\d+)\.\d+ \S+ haproxy\S* (?P<client>\S+):\d+ \[[^\]]+\] (?P<bind>\S+) .* \{(?P<host>[^}]*)\} \"")


def seen(bind, days):
    """By host name: how many requests, and the time of the last one (seconds since 1970). Requests of this machine do not count."""
    command = ["journalctl", "-t", "haproxy", "--since", f"-{days}d", "-o", "short-unix", "--no-pager", "-q"]
    own = bind.rpartition(":")[0]
    names = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as journal:
        for line in journal.stdout:
            match = LINE.match(line)
            if match and match["bind"] == bind and match["client"] not in (own, "127.0.0.1"):
                name = match["host"].partition(":")[0] or "(no name)"
                count, last = names.get(name, (0, 0))
                names[name] = (count + 1, max(last, int(match["at"])))
    return names


def main(name, bind, days, deadline=None):
    pool = pools.Pool(name)
    if bind not in pool.binds():
        return judged(True, f"{bind} is not served on this balancer (served: {', '.join(pool.binds()) or 'none'})")
    names = sorted(seen(bind, int(days)).items(), key=lambda item: -item[1][0])
    if not names:
        return judged(True, f"no client used {bind} in the last {days} days")
    uses = [f"{host} ({counted(count, 'request')}, last {time.strftime('%F %R', time.localtime(last))})" for host, (count, last) in names]
    used = f"{bind} is still used by {', '.join(uses)}"
    if not deadline:
        return judged(False, used)
    if time.strftime("%F") > deadline:
        return judged(True, f"{used}; the deadline {deadline} is over")
    raise refused(f"{used}; remind these users: the address is released after {days} days without a client, or after {deadline}")


run(main, __doc__, 3, 4)
