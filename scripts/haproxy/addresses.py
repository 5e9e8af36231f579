#!/usr/bin/env python3
"""Who has the addresses of a pool: two programs never serve one address.

Usage: addresses.py free PROGRAM BIND…     refuses while another program has one, or this machine lacks one
       addresses.py bound PROGRAM BIND…    waits until PROGRAM listens on every one, and nobody else does
"""

import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from saying import misuse, refused, run, timed_out  # noqa: E402

EVERY = ("", "*", "0.0.0.0", "[::]", "::")
BOUND_S = 10


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


def free(program, *binds):
    own = output("ip", "-o", "-4", "address")
    for bind in binds:
        address = bind.rpartition(":")[0]
        if address not in EVERY and not re.search(rf"\binet {re.escape(address)}/", own):
            raise refused(f"{address} is on no interface of this machine, so {program} can't be bound to it; nothing was started")
    found = listeners()
    held = {bind: at(bind, found) - {program} for bind in binds}
    wrong = [f"{bind} is held by {', '.join(sorted(programs))}" for bind, programs in held.items() if programs]
    if wrong:
        raise refused(f"{'; '.join(wrong)}: two programs never serve one address; stop the other one first; nothing was started")
    return None


def bound(program, *binds):
    until = time.monotonic() + BOUND_S
    while True:
        found = listeners()
        lacking = [bind for bind in binds if at(bind, found) != {program}]
        if not lacking:
            return ", ".join(binds)
        if time.monotonic() > until:
            raise timed_out(f"{program} is not bound to {', '.join(lacking)}, {BOUND_S} s after its start")
        time.sleep(0.05)


def main(command, program, *binds):
    if command not in ("free", "bound"):
        raise misuse(f"addresses.py takes free or bound, got {command}")
    return {"free": free, "bound": bound}[command](program, *binds)


if __name__ == "__main__":
    run(main, __doc__, 3)
