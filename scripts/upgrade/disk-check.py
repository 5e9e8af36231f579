#!/usr/bin/env python3
"""Check the disk usage of this host, in the form of a monitoring plugin.

Usage: disk-check.py NAME [--state FILE]

One line on stdout; ends with 0 (OK), 2 (CRITICAL: fuller than the settings allow) or 3 (UNKNOWN). FILE gets the code, the
line and the time since which the code is the same. While alerts are silent it prints the result, and ends with 0.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from disk import full, used_percent  # noqa: E402
from monitoring import carry_out  # noqa: E402


def check(settings, _):
    allowed, too_full = settings["disk_percent"], full(settings)
    if too_full:
        return 2, ", ".join(f"{path} is {percent} % full" for path, percent in too_full.items()) + f" (allowed: {allowed} %)", {}
    return 0, f"{settings['folder']} is {used_percent(settings['folder'])} % full (allowed: {allowed} %)", {}


carry_out("DISK", check, __doc__)
