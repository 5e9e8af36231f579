#!/usr/bin/env python3
"""The frontend of a pool: print its addresses, or close it for new connections.

Usage: frontend.py binds POOL            print its addresses; refuse without a configuration
       frontend.py quiet POOL SECONDS    take no new connection; print how many are left after SECONDS
"""

import time

import pool as pools
import runtime
from exit_codes import misuse, refused, run


def binds(name):
    addresses = pools.Pool(name).binds()
    if not addresses:
        raise refused(f"this balancer has no configuration of pool {name}; configure it: npx pulumi up")
    return " ".join(addresses)


def quiet(name, seconds):
    """Idle connections end by themselves, after `timeout http-keep-alive`."""
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
    raise misuse(f"frontend.py takes binds or quiet SECONDS, got {command}")


run(main, __doc__, 2)
