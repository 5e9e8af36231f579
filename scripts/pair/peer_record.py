"""Acts of the watch that need no lock: it records its peer, and announces the service address."""

import os

from arp import Link
from files import pairs_of
from role import ROOT, interface_of


def record_peer(pair, own, peer):
    """Record the peer's epoch. A peer that runs again ends the record that this machine serves alone."""
    records = f"{ROOT}/{pair}"
    if peer["epoch"] > own["epoch"]:
        with open(f"{records}/seen.new", "w", encoding="utf8") as file:
            print(f"epoch={peer['epoch']}", file=file, flush=True)
            os.fsync(file.fileno())
        os.replace(f"{records}/seen.new", f"{records}/seen")
    if own["alone"] and peer["runs"] and peer["down"] is None and os.path.exists(f"{records}/alone"):
        os.remove(f"{records}/alone")


def announce_address(pair):
    """Announce the service address, if this machine holds it."""
    address = (pairs_of(f"/etc/{pair}/{pair}.conf") or {}).get("SERVICE_ADDRESS")
    if interface := interface_of(address):
        Link(interface, address).announce()
