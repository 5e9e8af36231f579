#!/usr/bin/env python3
"""Exchange two paths in one system call, so that neither is ever missing.

Usage: exchange.py FIRST SECOND
"""

import ctypes
import os
import sys

EXCHANGE, HERE = 2, -100

if len(sys.argv) != 3:
    print(__doc__)
    sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
libc = ctypes.CDLL(None, use_errno=True)
first, second = (os.fsencode(word) for word in sys.argv[1:])
if libc.renameat2(HERE, first, HERE, second, EXCHANGE):
    print(f"{sys.argv[1]} and {sys.argv[2]}: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
    sys.exit(1)
