#!/usr/bin/env python3
"""Ask the peer, the other machine of a pair, over every path in parallel.

Usage: peer_paths.py PAIR INTERFACE SECONDS    (INTERFACE `none`: does not ask for the service address)

First line: `gone`: no path answers; `fenced`: the peer answers that it rejects writes;
`there`: any other answer. Then a line for each path that answers. Each path has SECONDS;
the first repeat of a lost packet comes after one second.
"""

import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from arp import Link  # noqa: E402
from ask_peer import ask  # noqa: E402
from files import pairs_of  # noqa: E402


def port_answers(address, port, what, limit):
    """What answers on a port; None without an answer. A refused connection is an answer of the kernel."""
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
    """(whether the peer answers that it rejects writes, that answer in words)"""
    try:
        answer = ask(pair, "standing", limit)
    except (OSError, ValueError, KeyError):
        return False, None
    harmless = not answer["holds_address"] and (answer["standby_signal"] or not answer["runs"])
    return harmless, f"its responder answers that it {'rejects writes' if harmless else 'serves'} (epoch {answer['epoch']})"


def main():
    if len(sys.argv) != 4 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    pair, interface, limit = *sys.argv[1:3], float(sys.argv[3])
    conf = pairs_of(f"/etc/{pair}/{pair}.conf") or sys.exit(f"pair {pair} is not configured on this machine")
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
