#!/usr/bin/env python3
"""The front of a pool: its addresses, and the end of what comes in by them.

Usage: front.py binds POOL            its addresses; refuses without a configuration
       front.py quiet POOL SECONDS    take no more connections; how many are left when the time is over
"""

import time

import pool as pools
import runtime
from saying import misuse, refused, run


def binds(name):
    found = pools.Pool(name).binds()
    if not found:
        raise refused(f"this machine has no configuration of pool {name}; run up, which configures it")
    return " ".join(found)


def quiet(name, seconds):
    """Connections that are kept without a request end by themselves within timeout http-keep-alive."""
    front = (f"{name}_public", "FRONTEND")
    if runtime.trouble() or front not in runtime.stat():
        return "0"
    if runtime.stat()[front]["status"] == "OPEN":
        runtime.order(f"disable frontend {front[0]}")
    until = time.monotonic() + float(seconds)
    while True:
        left = runtime.count(runtime.stat()[front], "scur")
        if not left or time.monotonic() > until:
            return str(left)
        time.sleep(0.05)


def main(command, name, *words):
    try:
        if command == "binds" and not words:
            return binds(name)
        if command == "quiet" and len(words) == 1:
            return quiet(name, *words)
    except runtime.Unusable as error:
        raise refused(str(error)) from error
    raise misuse(f"front.py takes binds or quiet SECONDS, got {command}")


run(main, __doc__, 2)
