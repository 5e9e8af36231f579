#!/usr/bin/env python3
"""Ask who holds an address, by ARP, again and again, and print each answer.

Usage: watch-address.py INTERFACE ADDRESS

One line an answer on stdout: monotonic seconds, the answering machine. Ends with its stdin.
"""

import select
import socket
import struct
import sys
import time

INTERVAL_S = 0.02


def main():
    interface, address = sys.argv[1:3]
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
    link.bind((interface, 0))
    own = link.getsockname()[4]
    wanted = socket.inet_aton(address)
    asked = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, own, b"\0" * 4, b"\0" * 6, wanted)
    frame = b"\xff" * 6 + own + b"\x08\x06" + asked
    due = time.monotonic()
    while True:
        ready, _, _ = select.select([link, sys.stdin], [], [], max(0, due - time.monotonic()))
        if sys.stdin in ready:
            return
        if link in ready:
            answer = link.recv(128)[14:42]
            operation = struct.unpack("!H", answer[6:8])[0]
            if operation == 2 and answer[14:18] == wanted:
                print(f"{time.monotonic():.4f} {answer[8:14].hex(':')}", flush=True)
        if time.monotonic() >= due:
            link.send(frame)
            due = time.monotonic() + INTERVAL_S


main()
