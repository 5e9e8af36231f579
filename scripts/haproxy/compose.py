#!/usr/bin/env python3
"""Make haproxy.cfg what the records of a pool say.

Usage: compose.py POOL
"""

import pool as pools
from saying import run


def main(name):
    pool = pools.Pool(name)
    with pool.locked():
        return "written from the records" if pool.compose() else "is what the records say"


run(main, __doc__, 1)
