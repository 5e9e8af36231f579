#!/usr/bin/env python3
"""Print the table of nftables that closes this host's ports of GlusterFS to all but its volumes' hosts.

Usage: close-ports.py            print `table inet changeover-gluster`
       close-ports.py --write    write it where rules.py loads it, if it is another one

Allowed are the addresses in /etc/changeover/volumes, and the servers that glusterd has in its trusted pool now: a server that
joins is let in while it joins, one that leaves is not let in any more. A unit runs this when the pool changes.
"""

import glob
import ipaddress
import os
import socket
import sys
import time

ALLOWED = os.environ.get("CHANGEOVER_VOLUMES", "/etc/changeover/volumes")
PEERS = f"{os.environ.get('CHANGEOVER_GLUSTERD', '/var/lib/glusterd')}/peers"
FILE = "/etc/changeover/rules/changeover-gluster.nft"
TABLE = "table inet changeover-gluster"
ROUNDS, ROUND_S = 60, 0.5


def words_of(path):
    try:
        with open(path, encoding="utf8") as file:
            return set(file.read().split())
    except OSError:
        return set()


def addresses_of(name):
    try:
        return {info[4][0] for info in socket.getaddrinfo(name, None, socket.AF_INET)}
    except OSError:
        return set()


def servers():
    lines = set().union(*(words_of(path) for path in glob.glob(f"{glob.escape(PEERS)}/*")))
    names = {line.split("=", 1)[1] for line in lines if line.startswith("hostname") and "=" in line}
    return set().union(*(addresses_of(name) for name in names))


def is_ipv4(word):
    try:
        return ipaddress.ip_address(word).version == 4
    except ValueError:
        return False


def text():
    files = [path for path in glob.glob(f"{glob.escape(ALLOWED)}/*") if not path.endswith(".ports")]
    allowed = sorted(filter(is_ipv4, servers().union(*(words_of(path) for path in files))))
    others = sorted(words_of(f"{ALLOWED}/other.ports"))
    accept = [f"ip saddr {{ {', '.join(allowed)} }} accept"] if allowed else []
    accept += [f"tcp dport {{ {', '.join(others)} }} accept"] if others else []
    rules = ['iifname "lo" accept', "ct state established,related accept", *accept]
    rules.append("tcp dport { 24007-24008, 49152-60999 } reject with tcp reset")
    lines = "\n".join(f"    {rule}" for rule in ["type filter hook input priority filter; policy accept;", *rules])
    return f"{TABLE} {{\n  chain input {{\n{lines}\n  }}\n}}\n"


def write(wanted):
    try:
        with open(FILE, encoding="utf8") as file:
            if file.read() == wanted:
                return
    except OSError:
        return
    with open(f"{FILE}.new", "w", encoding="utf8") as file:
        file.write(wanted)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{FILE}.new", FILE)


def main():
    if sys.argv[1:] not in ([], ["--write"]):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    if not sys.argv[1:]:
        print(text(), end="")
        return
    # What changes while this runs does not start the unit again, so it ends when nothing changes any more.
    before = None
    for _ in range(ROUNDS):
        now = text()
        if now == before:
            return
        write(f"{TABLE}\ndelete {TABLE}\n{now}")
        before = now
        time.sleep(ROUND_S)


main()
