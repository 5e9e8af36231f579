#!/usr/bin/env python3
"""What serve.sh asks about the addresses of a pool.

Usage: serve.py POOL free            refuses while another program has one, or this machine lacks one
       serve.py POOL bound           whether HAProxy listens on every one
       serve.py POOL quiet SECONDS   take no more connections; how many are left when the time is over
"""

import re
import subprocess
import time

import pool as pools
import runtime
from saying import misuse, refused, run, timed_out

EVERY = ("", "*", "0.0.0.0", "[::]", "::")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout


def listeners():
    """Who listens, as (address, port, program)."""
    found = []
    for line in output("ss", "-Hltnp").splitlines():
        address, _, port = line.split()[3].rpartition(":")
        program = re.search(r'\(\("([^"]+)"', line)
        found.append((address, port, program[1] if program else "an unknown program"))
    return found


def at(bind, found):
    """Programs that have an address and port."""
    address, _, port = bind.rpartition(":")
    return {
        program
        for other, other_port, program in found
        if other_port == port and (other == address or other in EVERY or address in EVERY)
    }


def free(pool):
    own = output("ip", "-o", "-4", "address")
    for bind in pool.binds():
        address = bind.rpartition(":")[0]
        if address not in EVERY and not re.search(rf"\binet {re.escape(address)}/", own):
            raise refused(f"{address} is on no interface of this machine, so HAProxy can't be bound to it; nothing was started")
    found = listeners()
    held = {bind: at(bind, found) - {"haproxy"} for bind in pool.binds()}
    wrong = [f"{bind} is held by {', '.join(sorted(programs))}" for bind, programs in held.items() if programs]
    if wrong:
        raise refused(f"{'; '.join(wrong)}: two programs never serve one address; stop the other one first; nothing was started")
    return "free"


def bound(pool):
    until = time.monotonic() + 10
    while True:
        found = listeners()
        lacking = [bind for bind in pool.binds() if at(bind, found) != {"haproxy"}]
        if not lacking:
            return ", ".join(pool.binds())
        if time.monotonic() > until:
            raise timed_out(f"HAProxy is not bound to {', '.join(lacking)}: {pools.last_words()}")
        time.sleep(0.05)


def quiet(pool, seconds):
    """Connections that are kept without a request end by themselves within timeout http-keep-alive."""
    if runtime.trouble():
        return "0"
    front = (f"{pool.name}_public", "FRONTEND")
    if front not in runtime.stat():
        return "0"
    if runtime.stat()[front]["status"] == "OPEN":
        runtime.order(f"disable frontend {front[0]}")
    until = time.monotonic() + float(seconds)
    while True:
        left = runtime.count(runtime.stat()[front], "scur")
        if not left or time.monotonic() > until:
            return str(left)
        time.sleep(0.05)


def main(name, command, *words):
    pool = pools.Pool(name)
    if not pool.binds():
        raise refused(f"this machine has no configuration of pool {name}; run up, which configures it")
    try:
        if command == "quiet" and len(words) == 1:
            return quiet(pool, *words)
        if command in ("free", "bound") and not words:
            return {"free": free, "bound": bound}[command](pool)
    except runtime.Unusable as error:
        raise refused(str(error)) from error
    raise misuse(f"serve.py takes free, bound or quiet SECONDS, got {command}")


run(main, __doc__, 2)
