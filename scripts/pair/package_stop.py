#!/usr/bin/env python3
"""Tell a stop of the pair's server by an upgrade of its package from a stop by a person.

Usage: package_stop.py PAIR    (systemd runs it after each stop of the server)

A package of PostgreSQL stops every cluster, and starts again only those that the boot
starts. The boot never starts the pair's: the watch does, and this mark tells it to.
"""

import contextlib
import fcntl
import glob
import os
import re
import struct
import sys

DPKG_LOCK = os.environ.get("CHANGEOVER_DPKG_LOCK", "/var/lib/dpkg/lock")
MAINTAINER = re.compile(rb"/var/lib/dpkg/info/postgresql[^/\0]*\.(prerm|preinst|postinst|postrm)(\0|$)")


def mark_of(pair):
    return f"/run/changeover-{pair}.packaged"


def dpkg_runs():
    """Whether dpkg holds its lock. Asks only: to take it, even for a moment, could make dpkg fail."""
    try:
        with open(DPKG_LOCK, "rb") as lock:
            asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            return struct.unpack("hhqqi4x", fcntl.fcntl(lock, fcntl.F_GETLK, asked))[0] != fcntl.F_UNLCK
    except OSError:
        return False


def stopped_by_package():
    """Whether a script of a PostgreSQL package runs now: it waits until its stop is done."""
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            if MAINTAINER.search(file.read()):
                return True
    return False


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    mark = mark_of(sys.argv[1])
    if stopped_by_package():
        with open(mark, "w", encoding="utf8") as file:
            file.write("stopped by an upgrade of its package; the watch starts it again when dpkg has ended\n")
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(mark)


if __name__ == "__main__":
    main()
