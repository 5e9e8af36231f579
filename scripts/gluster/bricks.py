#!/usr/bin/env python3
"""Say what is at the path of a brick of this host: one word. Read-only; also a module.

Usage: bricks.py PATH

ours     a brick of a volume, with its data
lost     a brick of a volume, without its data: its disk is not mounted, or is another one
left     a brick that was removed from its volume
foreign  anything else
empty    an empty folder
absent   nothing
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import cli  # noqa: E402


def state(path):
    listed, mark = cli.volume_at(path), cli.mark_of(path)
    if listed:
        return "ours" if mark == listed[1] else "lost"
    if not os.path.lexists(path):
        return "absent"
    if mark:
        return "left"
    return "foreign" if not os.path.isdir(path) or os.path.islink(path) or os.listdir(path) else "empty"


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    print(state(sys.argv[1]))
