#!/usr/bin/env python3
"""Write down who uses the volumes that Changeover does not operate: the Python half of allow-hosts.sh.

Usage: seen-clients.py FOLDER

FOLDER has a file of addresses for each volume that Changeover operates. For another one VOLUME.seen gets who uses it now, and
keeps who was there before.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import cli  # noqa: E402


def seen_before(path):
    try:
        with open(path, encoding="utf8") as file:
            return set(file.read().split())
    except OSError:
        return set()


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    for name, volume in cli.volumes().items():
        path = f"{sys.argv[1]}/{name}"
        if os.path.exists(path) or not volume["started"]:
            continue
        seen = seen_before(f"{path}.seen") | cli.clients(name)
        with open(f"{path}.seen.new", "w", encoding="utf8") as file:
            file.write("".join(f"{address}\n" for address in sorted(seen)))
        os.replace(f"{path}.seen.new", f"{path}.seen")


cli.ending(main)
