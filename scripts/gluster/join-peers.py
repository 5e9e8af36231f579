#!/usr/bin/env python3
"""Join servers to one trusted pool: the Python half of join-peers.sh. Prints what was done.

A server counts when every word of gluster about it is `Peer in Cluster (Connected)`: it is "in the peer list" before that.
"""

import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import cli  # noqa: E402
from cli import Refused, TimedOut, log  # noqa: E402

REJECTED = "6"


def is_own(address):
    said = subprocess.run(["ip", "-o", "address", "show", "to", f"{address}/32"], capture_output=True, check=False)
    return bool(said.stdout)


def probe(address):
    log(f"joining {address} to the trusted pool")
    cli.require_claim()
    try:
        cli.tell("peer", "probe", address)
    except TimedOut as why:
        if "part of another cluster" in str(why):
            raise Refused(
                f"{address} is in another trusted pool; on a server of that pool run: gluster peer detach {address}"
            ) from None
        log(str(why))


def has_joined(address):
    peer = cli.peer_at(address, cli.peers())
    if peer and peer["state"] == REJECTED:
        raise Refused(f"{socket.gethostname()} says: {cli.why_no_member(address, peer)}")
    return peer and cli.is_member(peer)


def join(address, seconds):
    """@return whether it is new"""
    if is_own(address) or has_joined(address):
        return False
    probe(address)
    try:
        cli.wait_until(f"{address} is in the trusted pool and answers", seconds, lambda: has_joined(address))
    except TimedOut as late:
        peer = cli.peer_at(address, cli.peers())
        raise TimedOut(f"{late}; {cli.why_no_member(address, peer) if peer else f'gluster does not list {address}'}") from None
    return True


def strangers(addresses):
    """What servers of the pool say of each other that are no members yet: a volume that changes meanwhile has two texts for them."""
    others = [address for address in addresses if not is_own(address)]
    found = []
    for server in others:
        known = cli.peers(server)
        for address in others:
            peer = None if address == server else cli.peer_at(address, known)
            if peer and peer["state"] == REJECTED:
                raise Refused(f"{server} says: {cli.why_no_member(address, peer)}")
            if address != server and not (peer and cli.is_member(peer)):
                found.append(f"{server} says of {address}: {peer['said'] if peer else 'no peer'}")
    return found


def main():
    seconds, addresses = int(sys.argv[1]), sys.argv[2:]
    if not all(is_own(address) or has_joined(address) for address in addresses):
        for name, volume in cli.volumes().items():
            if "auth.allow" in volume["options"]:
                cli.require_claim()
                cli.even_out(name, volume["options"]["auth.allow"])
    joined = sum(join(address, seconds) for address in addresses)
    try:
        cli.wait_until("every server of the trusted pool knows every other one", seconds, lambda: not strangers(addresses))
    except TimedOut as late:
        raise TimedOut(f"{late}; {'; '.join(strangers(addresses)[:3])}; {cli.OTHER_CURE}") from None
    print(f"{len(addresses)} server(s) in one trusted pool, {joined} of them new")


cli.ending(main)
