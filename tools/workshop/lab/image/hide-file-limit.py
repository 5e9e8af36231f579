#!/usr/bin/env python3
"""Take one question out of a Java: how many files a process may open.

Usage: hide-file-limit.py MODULES     (lib/modules of a Java)

Search engines end below 65535, and a local host may not raise what its machine allows. The interface by which they ask gets
another name for that one method, so the number is unknown to them, and they make all their other checks. A patched module
(--patch-module) would do too, but then Java reads no archive of classes, and starts slowly.
"""

import os
import sys

# In the interface `UnixOperatingSystemMXBean` alone: the name stands between its type and the name of its source.
ASKED = b"()J\x01\x00\x19getMaxFileDescriptorCount\x01\x00\nSourceFile"

path = sys.argv[1]
found = os.stat(path)
with open(path, "r+b") as file:
    modules = file.read()
    if modules.count(ASKED) != 1:
        sys.exit(f"{path} has the interface {modules.count(ASKED)} times (expected: 1)")
    file.seek(modules.index(ASKED))
    file.write(ASKED.replace(b"Count", b"CounT"))
# Java's own archive of classes belongs to a file of this time.
os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
