#!/usr/bin/env python3
"""Whether a volume is whole; health.sh says how. Read-only."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import cli  # noqa: E402


def whole(name):
    volume = cli.volumes().get(name)
    if volume is None or not volume["started"]:
        return False
    if not {brick for _, brick in volume["bricks"]} <= cli.online(name):
        return False
    if len(volume["bricks"]) == 1:
        return True
    left = cli.backlog(name)
    cli.refuse_split_brain(name, left)
    return left == (0, 0)


def main():
    seconds, name = int(sys.argv[1]), sys.argv[2]
    cli.wait_until(f"{name} is whole", seconds, lambda: whole(name))
    print(f"{name}: every brick is online, nothing is left to heal")


cli.ending(main)
