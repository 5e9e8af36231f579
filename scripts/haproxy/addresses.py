#!/usr/bin/env python3
"""Which programs hold the addresses of a pool. Two programs never serve one address.

Usage: addresses.py free PROGRAM BIND…     refuse while another program holds a BIND, or this machine lacks one
       addresses.py bound PROGRAM BIND…    wait until PROGRAM, and no other program, listens on every BIND
"""

import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from exit_codes import misuse, refused, run, timed_out  # noqa: E402

EVERY = ("", "*", "0.0.0.0", "[::]", "::")
BOUND_S = 10


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout


def listeners():
    """All listeners, as (address, port, program)."""
    rows = []
    for line in output("ss", "-Hltnp").splitlines():
        address, _, port = line.split()[3].rpartition(":")
        program = re.search(r'\(\("([^"]+)"', line)
        rows.append((address, port, program[1] if program else "an unknown program"))
    return rows


def at(bind, rows):
    """Programs that listen on an address and port."""
    address, _, port = bind.rpartition(":")
    return {
        program
        for other, other_port, program in rows
        if other_port == port and (other == address or other in EVERY or address in EVERY)
    }


def free(program, *binds):
    own = output("ip", "-o", "-4", "address")
    for bind in binds:
        address = bind.rpartition(":")[0]
        if address not in EVERY and not re.search(rf"\binet {re.escape(address)}/", own):
            raise refused(f"{address} is on no interface of this machine, so {program} can't listen on it; add it to an interface; nothing was started")
    rows = listeners()
    held = {bind: at(bind, rows) - {program} for bind in binds}
    wrong = [f"{bind} is held by {', '.join(sorted(programs))}" for bind, programs in held.items() if programs]
    if wrong:
        raise refused(f"{'; '.join(wrong)}: two programs never serve one address; stop the other program first; nothing was started")
    return None


def bound(program, *binds):
    until = time.monotonic() + BOUND_S
    while True:
        rows = listeners()
        lacking = [bind for bind in binds if at(bind, rows) != {program}]
        if not lacking:
            return ", ".join(binds)
        if time.monotonic() > until:
            raise timed_out(f"{program} does not listen alone on {', '.join(lacking)} after {BOUND_S} s")
        time.sleep(0.05)


def main(command, program, *binds):
    if command not in ("free", "bound"):
        raise misuse(f"addresses.py takes free or bound, got {command}")
    return {"free": free, "bound": bound}[command](program, *binds)


if __name__ == "__main__":
    run(main, __doc__, 3)
