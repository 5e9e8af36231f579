"""Renew leases while a step runs; it ends with the step, however that ends. Imported by the steps that hold one."""

import ctypes
import os
import signal
import subprocess
import threading

import leases
import settings
from cluster import Denied, NoAnswer, end, narrate

ALLOCATION, ALLOCATION_S = "allocation", 45
SPOT, SPOT_S = "spot", 60
RENEW_S = 10
SCRIPTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def end_with_parent():
    """Die when the script that started this process dies, so that no half of a step goes on alone."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def identity():
    return os.environ.get("CHANGEOVER_ID") or "by-hand"


def require_claim():
    """Ends with what `require_claim` of lib.sh says."""
    done = subprocess.run(["bash", "-c", '. "$1/lib.sh"; require_claim', "bounce", SCRIPTS], stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def start_again():
    place = f"{os.environ.get('CHANGEOVER_COMPONENT', '…')}-{os.environ.get('CHANGEOVER_TRANSITION', '…')}"
    return f"start again: npx pulumi up --replace '**::{place}-id'"


def require_spot(cluster):
    """The spot zone is still cleared by this transition; ends with 77 when that was put back. @raise NoAnswer, Denied"""
    scopes = settings.read(cluster, file=False)
    record = leases.records(scopes, cluster.name).get(SPOT)
    if identity() in leases.expired_of(scopes, cluster.name) or record is None or record["id"] != identity():
        end(77, f"shards may be in the spot zone of {cluster.name} again, since no step came for {SPOT_S} s; {start_again()}")


class Keeper:
    """A thread that renews each lease of `names` every 10 s. `lost`: those that are not ours any more."""

    def __init__(self, cluster):
        self.cluster, self.names, self.lost = cluster, [], set()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        pause = RENEW_S
        while not self.ended.wait(pause):
            pause = RENEW_S
            for lease in list(self.names):
                try:
                    if not settings.renew(self.cluster, lease, identity()) and lease in self.names:
                        self.lost.add(lease)
                        narrate(f"lease {lease} of {self.cluster.name} is gone: it lapsed, or somebody gave it back")
                        self.names.remove(lease)
                except (NoAnswer, Denied) as error:
                    narrate(f"lease {lease} of {self.cluster.name} is not renewed, tried again: {error}")
                    pause = 1

    def drop(self, lease):
        if lease in self.names:
            self.names.remove(lease)

    def stop(self):
        self.ended.set()
        self.thread.join(15)
