#!/usr/bin/env python3
"""Ask for the other machine of a pair over every path that there is, side by side.

Usage: paths.py PAIR INTERFACE SECONDS    (INTERFACE `none`: no service address is asked for)

First line: `gone`, nothing answers; `fenced`, it says itself that it accepts no write;
or `there`. Then a line for each path that answers. Each path has SECONDS; a second is
what the first repeat of a lost packet takes.
"""

import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from arp import Link  # noqa: E402
from ask import ask  # noqa: E402
from files import pairs_of  # noqa: E402


def port_answers(address, port, what, limit):
    """A refused connection is an answer: somebody's kernel is there."""
    try:
        socket.create_connection((address, port), limit).close()
        return f"its {what} answers (port {port})"
    except ConnectionRefusedError:
        return f"its kernel answers (port {port}, no {what})"
    except OSError:
        return None


def service_address(interface, address):
    if interface == "none":
        return None
    verdict = Link(interface, address).probe()
    return None if verdict == "free" else f"{address} is {verdict}"


def responder(pair, limit):
    """(whether it accepts no write by its own word, what it says)"""
    try:
        said = ask(pair, "standing", limit)
    except (OSError, ValueError, KeyError):
        return False, None
    harmless = not said["holds_address"] and (said["standby_signal"] or not said["runs"])
    return harmless, f"it says that it {'accepts no write' if harmless else 'serves'} (epoch {said['epoch']})"


def main():
    if len(sys.argv) != 4 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    pair, interface, limit = *sys.argv[1:3], float(sys.argv[3])
    conf = pairs_of(f"/etc/{pair}/{pair}.conf") or sys.exit("the pair is not configured here")
    peer = conf["PEER_ADDRESS"]
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(responder, pair, limit)
        held = pool.submit(service_address, interface, conf["SERVICE_ADDRESS"])
        ports = ((22, "sshd"), (int(conf["PORT"]), "PostgreSQL"), (int(conf["PEER_PORT"]), "responder"))
        open_ports = [pool.submit(port_answers, peer, port, what, limit) for port, what in ports]
        (harmless, said), taken = asked.result(), held.result()
        answers = [answer for answer in (said, taken, *(port.result() for port in open_ports)) if answer]
    print("gone" if not answers else "fenced" if harmless and not taken else "there", *answers, sep="\n")


main()
