#!/usr/bin/env python3
"""Who came by one address of a pool, from HAProxy's log: each name that was asked for, how often, and when last.

Usage: clients.py POOL ADDRESS:PORT DAYS [DEADLINE]
"""

import re
import subprocess
import time

import pool as pools
from saying import counted, judged, refused, run

# `log-format` of the configuration: client, [time], the address that it came to, …, {the name that it asked for}.
LINE = re.compile(r"^(?P<at>\d+)\.\d+ \S+ haproxy\S* (?P<client>\S+):\d+ \[[^\]]+\] (?P<bind>\S+) .* \{(?P<host>[^}]*)\} \"")


def seen(bind, days):
    """By name: how many requests, and when the last one was (seconds since 1970). Requests of this machine do not count."""
    command = ["journalctl", "-t", "haproxy", "--since", f"-{days}d", "-o", "short-unix", "--no-pager", "-q"]
    own = bind.rpartition(":")[0]
    found = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as journal:
        for line in journal.stdout:
            match = LINE.match(line)
            if match and match["bind"] == bind and match["client"] not in (own, "127.0.0.1"):
                name = match["host"].partition(":")[0] or "(no name)"
                count, last = found.get(name, (0, 0))
                found[name] = (count + 1, max(last, int(match["at"])))
    return found


def main(name, bind, days, deadline=None):
    pool = pools.Pool(name)
    if bind not in pool.binds():
        return judged(True, f"{bind} is not served here (served: {', '.join(pool.binds()) or 'none'})")
    found = sorted(seen(bind, int(days)).items(), key=lambda one: -one[1][0])
    if not found:
        return judged(True, f"nobody used {bind} in {days} days")
    said = [f"{host} ({counted(count, 'request')}, last {time.strftime('%F %R', time.localtime(last))})" for host, (count, last) in found]
    used = f"{bind} is still used by {', '.join(said)}"
    if not deadline:
        return judged(False, used)
    if time.strftime("%F") > deadline:
        return judged(True, f"{used}; they had until {deadline}")
    raise refused(f"{used}; tell them once more: it goes when nobody came in {days} days, or later than {deadline}")


run(main, __doc__, 3, 4)
