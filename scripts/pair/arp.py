#!/usr/bin/env python3
"""Ask whether another machine holds an address, or tell the network that this one does.

Usage: arp.py probe INTERFACE ADDRESS       ends with 1 when another machine answers
       arp.py announce INTERFACE ADDRESS    gratuitous ARP, some times within a second
"""

import select
import socket
import struct
import sys
import time

PROBES, PROBE_GAP_S = 3, 0.04
ANNOUNCEMENTS = (0, 0.05, 0.2, 0.7)


def frame(own, operation, sender, target):
    body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, own, sender, b"\0" * 6, target)
    return b"\xff" * 6 + own + b"\x08\x06" + body


def probe(link, own, address):
    """RFC 5227: ask with an empty sender, so that nobody learns a wrong place."""
    for _ in range(PROBES):
        link.send(frame(own, 1, b"\0" * 4, address))
        until = time.monotonic() + PROBE_GAP_S
        while (left := until - time.monotonic()) > 0 and select.select([link], [], [], left)[0]:
            answer = link.recv(128)[14:42]
            if answer[14:18] == address and answer[8:14] != own and struct.unpack("!H", answer[6:8])[0] == 2:
                print(f"{socket.inet_ntoa(address)} is held by {answer[8:14].hex(':')}", file=sys.stderr)
                sys.exit(1)


def announce(link, own, address):
    started = time.monotonic()
    for at in ANNOUNCEMENTS:
        time.sleep(max(0, started + at - time.monotonic()))
        for operation in (1, 2):
            link.send(frame(own, operation, address, address))


if len(sys.argv) != 4 or sys.argv[1] not in ("probe", "announce"):
    print(__doc__)
    sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
LINK = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
LINK.bind((sys.argv[2], 0))
{"probe": probe, "announce": announce}[sys.argv[1]](LINK, LINK.getsockname()[4], socket.inet_aton(sys.argv[3]))
