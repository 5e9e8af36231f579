#!/usr/bin/env python3
"""Ask whether another machine holds an address, or announce that this machine holds it.

Usage: arp.py probe INTERFACE ADDRESS       prints `free` or `held by …`
       arp.py announce INTERFACE ADDRESS    gratuitous ARP, four times within two seconds
"""

import select
import socket
import struct
import sys
import time

PROBES, PROBE_GAP_S = 3, 0.02
ANNOUNCEMENTS_S = (0, 0.1, 0.4, 2)


def frame(own, operation, sender, target):
    body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, own, sender, b"\0" * 6, target)
    return b"\xff" * 6 + own + b"\x08\x06" + body


class Link:
    """An interface of this machine, and an address for it."""

    def __init__(self, interface, address):
        self.address = socket.inet_aton(address)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
        self.socket.bind((interface, 0))
        self.own = self.socket.getsockname()[4]

    def probe(self):
        """RFC 5227 with short waits. The sender address is empty, so no machine learns a wrong entry."""
        for _ in range(PROBES):
            self.socket.send(frame(self.own, 1, b"\0" * 4, self.address))
            until = time.monotonic() + PROBE_GAP_S
            while (left := until - time.monotonic()) > 0 and select.select([self.socket], [], [], left)[0]:
                answer = self.socket.recv(128)[14:42]
                if answer[14:18] == self.address and answer[8:14] != self.own:
                    return f"held by {answer[8:14].hex(':')}"
        return "free"

    def is_held(self):
        """Whether this machine holds the address now."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_port:
            try:
                any_port.bind((socket.inet_ntoa(self.address), 0))
                return True
            except OSError:
                return False

    def announce(self):
        for operation in (1, 2):
            self.socket.send(frame(self.own, operation, self.address, self.address))


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("probe", "announce"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    link = Link(*sys.argv[2:])
    if sys.argv[1] == "probe":
        print(link.probe())
        return
    started = time.monotonic()
    for at in ANNOUNCEMENTS_S:
        time.sleep(max(0, started + at - time.monotonic()))
        if link.is_held():
            link.announce()


if __name__ == "__main__":
    main()
