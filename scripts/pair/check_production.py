#!/usr/bin/env python3
"""Check what production of a pair runs: units, ports, database, rsync daemons, indexes, pages, logs.

Usage: check_production.py PAIR    (reads /etc/PAIR/PAIR.conf and /etc/PAIR/carries)

All checks run in parallel; each repeats until it passes or reaches its deadline. Prints a
line for each check on stderr, their number on stdout. Ends with 1 when a check failed.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from files import pairs_of  # noqa: E402
from production_checks import all_checks  # noqa: E402

DEADLINE_S, PAUSE_S = 45, 0.2


def passes(named_check):
    """Repeat a check until it passes or reaches its deadline, and print its result."""
    name, check = named_check
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            wrong = check()
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            wrong = str(error) or type(error).__name__
        if wrong is None or time.monotonic() > deadline:
            print(f"{'ok    ' if wrong is None else 'FAILED'} {name}{'' if wrong is None else f': {wrong}'}", file=sys.stderr, flush=True)
            return wrong is None
        time.sleep(PAUSE_S)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    pair = sys.argv[1]
    conf = pairs_of(f"/etc/{pair}/{pair}.conf") or sys.exit(f"pair {pair} is not configured on this machine")
    checks = list(all_checks(conf, pairs_of(f"/etc/{pair}/carries") or {}))
    with ThreadPoolExecutor(max_workers=len(checks)) as pool:
        passed = list(pool.map(passes, checks))
    print(len(passed))
    sys.exit(0 if all(passed) else 1)


main()
