#!/usr/bin/env python3
"""Print the addresses that may reach GlusterFS on this host, with commas: the Python half of allow-hosts.sh.

Usage: allowed.py FOLDER

FOLDER has a file of addresses for each volume that Changeover operates. For another volume VOLUME.seen gets who uses it.
"""

import ipaddress
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import cli  # noqa: E402


def lines_of(path):
    try:
        with open(path, encoding="utf8") as file:
            return set(file.read().split())
    except OSError:
        return set()


def servers():
    """Addresses of all servers of the trusted pool, also of those that leave it."""
    names = {name for peer in cli.peers() for name in peer["names"]}
    names |= {brick.split(":", 1)[0] for volume in cli.volumes().values() for _, brick in volume["bricks"]}
    return set().union(*(cli.addresses_of(name) for name in names))


def users(folder):
    """Who uses volumes of others, now or when it was asked before."""
    found = set()
    for name, volume in cli.volumes().items():
        if os.path.exists(f"{folder}/{name}") or not volume["started"]:
            continue
        seen = lines_of(f"{folder}/{name}.seen") | cli.clients(name)
        with open(f"{folder}/{name}.seen.new", "w", encoding="utf8") as file:
            file.write("".join(f"{address}\n" for address in sorted(seen)))
        os.replace(f"{folder}/{name}.seen.new", f"{folder}/{name}.seen")
        found |= seen
    return found


def is_ipv4(address):
    try:
        return ipaddress.ip_address(address).version == 4
    except ValueError:
        return False


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    folder = sys.argv[1]
    named = set().union(*(lines_of(f"{folder}/{name}") for name in os.listdir(folder) if "." not in name))
    print(",".join(sorted(filter(is_ipv4, named | servers() | users(folder)))))


cli.ending(main)
