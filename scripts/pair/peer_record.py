"""Acts of the watch that need no lock. None of them may stop what the watch is for: each says why it failed."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from arp import Link
from files import pairs_of
from handles import Untrusted, write_file
from role import DOWN_MARK, ROOT, data_of, interface_of

# Freed by step-down.sh when the disk of the records is full.
RESERVE_BYTES = 64 * 1024


class Notes:
    """Writes records; a failure is said once, not every second."""

    def __init__(self):
        self.said = {}

    def attempt(self, what, does):
        """Do one act; say why it failed, when that is new."""
        try:
            does()
            self.said.pop(what, None)
        except (OSError, Untrusted, ValueError, KeyError) as error:
            if self.said.get(what) != str(error):
                self.said[what] = str(error)
                print(f"{what}: {error}", file=sys.stderr, flush=True)


def record_peer(pair, own, peer):
    """Record the peer's epoch. A peer that runs again ends the record that this machine serves alone."""
    records = f"{ROOT}/{pair}"
    if own["alone"] and peer["runs"] and peer["down"] is None and os.path.exists(f"{records}/alone"):
        os.remove(f"{records}/alone")
    if peer["epoch"] > own["epoch"]:
        write_file(f"{records}/seen", f"epoch={peer['epoch']}\n")


def record_down(pair, own):
    """Write the record `down` that could not be written when this machine stepped down."""
    mark = f"{data_of(pair)}/{DOWN_MARK}"
    if os.path.exists(mark):
        if not os.path.exists(f"{ROOT}/{pair}/down"):
            write_file(f"{ROOT}/{pair}/down", f"why={own['down']}\n")
        os.unlink(mark)


def keep_reserve(pair):
    """Keep room for the record `down`."""
    reserve = f"{ROOT}/{pair}/reserve"
    if not os.path.exists(reserve):
        write_file(reserve, os.urandom(RESERVE_BYTES), 0o600)


def announce_address(pair):
    """Announce the service address, if this machine holds it."""
    address = (pairs_of(f"/etc/{pair}/{pair}.conf") or {}).get("SERVICE_ADDRESS")
    if interface := interface_of(address):
        Link(interface, address).announce()
