#!/usr/bin/env python3
"""Unmount a shared volume whose process on this host has died, so that the unit of the mount can mount it again.

Usage: drop-dead-mount.py VOLUME

The timer of the mount check runs this first. A mount whose servers are away is left alone: its process lives, and goes on
when they answer.
"""

import errno
import glob
import importlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

check = importlib.import_module("mount-check")


def is_served(path):
    """Whether a process of GlusterFS has the mount at a path: its last word."""
    for file in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(file, "rb") as line:
                words = os.fsdecode(line.read()).rstrip("\0").split("\0")
        except OSError:
            continue
        if os.path.basename(words[0]) == "glusterfs" and words[-1] == path:
            return True
    return False


def is_cut_off(path):
    """Whether the kernel itself answers that nobody serves a path. Asked only where no process could let this hang."""
    try:
        os.stat(path)
    except OSError as error:
        return error.errno == errno.ENOTCONN
    return False


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    path = check.settings(sys.argv[1])["path"]
    mounted = check.type_at(path)
    if mounted and mounted[1] == "fuse.glusterfs" and not is_served(path) and is_cut_off(path):
        subprocess.run(["umount", "-l", path], check=True, timeout=20)
        print(f"unmounted {path}: the process of this mount had died")


main()
