#!/usr/bin/env python3
"""Check how full the disk of this host is, as monitoring plugins do.

Usage: disk-check.py NAME [--state FILE]

One line on stdout; ends with 0 (OK), 2 (CRITICAL: fuller than the settings allow) or 3 (UNKNOWN). FILE gets the code,
the line and since when it is so. While silenced it says what is so, and ends with 0.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from disk import full, used_percent  # noqa: E402
from plugin import carry_out  # noqa: E402


def check(settings, _):
    allowed, found = settings["disk_percent"], full(settings)
    if found:
        return 2, ", ".join(f"{path} is {percent} % full" for path, percent in found.items()) + f", allowed are {allowed} %", {}
    return 0, f"{settings['folder']} is {used_percent(settings['folder'])} % full, allowed are {allowed} %", {}


carry_out("DISK", check, __doc__)
