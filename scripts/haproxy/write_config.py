#!/usr/bin/env python3
"""Write haproxy.cfg from the records of a pool.

Usage: write_config.py POOL
"""

import pool as pools
from exit_codes import run


def main(name):
    pool = pools.Pool(name)
    with pool.locked():
        return "is written from the records" if pool.compose() else "matches the records already"


run(main, __doc__, 1)
