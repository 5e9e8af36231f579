#!/usr/bin/env python3
"""Require that a volume is healthy: the Python half of require-healthy.sh. Read-only."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import cli  # noqa: E402


def is_healthy(name):
    volume = (cli.volumes_soon() or {}).get(name)
    if volume is None or not volume["started"]:
        return False
    if not {brick for _, brick in volume["bricks"]} <= cli.online(name):
        return False
    if len(volume["bricks"]) == 1:
        return True
    counts = cli.backlog(name)
    cli.refuse_split_brain(name, counts)
    return counts == (0, 0)


def main():
    seconds, name = int(sys.argv[1]), sys.argv[2]
    cli.wait_until(f"{name} is healthy", seconds, lambda: is_healthy(name))
    print(f"{name} has every brick online and nothing left to heal")


cli.ending(main)
