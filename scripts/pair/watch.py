#!/usr/bin/env python3
"""Start this machine's half of a pair at boot, if it may; have it step down when the other was made production.

Usage: watch.py PAIR    (a service)

Asks the other machine every second; guard.json says what follows. Acts by serve.sh and
step-down.sh, with the component's lock, and never beside a step of a transition.
"""

import fcntl
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from arp import Link  # noqa: E402
from ask import ask  # noqa: E402
from files import pairs_of  # noqa: E402
from guard import decide, features  # noqa: E402
from standing import ROOT, interface_of, standing  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PAUSE_S, ASK_LIMIT_S, ACT_LIMIT_S, RETRY_S, CONTESTED_S = 1, 2, 600, 15, 10
ACTS = {"start": ("serve.sh", "standby"), "serve": ("serve.sh", "production"), "yield": ("step-down.sh",)}


def look(pair, started):
    try:
        peer = ask(pair, "standing", ASK_LIMIT_S)
        peer = peer if "serving" in peer else None  # a release that knows nothing of this
    except (OSError, ValueError, KeyError):
        peer = None
    own = standing(pair)
    return decide(features(own, peer, os.path.exists(started))), own, peer


def note(pair, own, peer):
    """What is known of the other machine when it gives no answer any more: its epoch, and that it can serve again."""
    records = f"{ROOT}/{pair}"
    if peer["epoch"] > own["epoch"]:
        with open(f"{records}/seen.new", "w", encoding="utf8") as file:
            print(f"epoch={peer['epoch']}", file=file, flush=True)
            os.fsync(file.fileno())
        os.replace(f"{records}/seen.new", f"{records}/seen")
    if own["alone"] and peer["runs"] and peer["down"] is None and os.path.exists(f"{records}/alone"):
        os.remove(f"{records}/alone")


def act(pair, started):
    """Look again with the lock, and act. Whether it is settled for now."""
    with open(f"{ROOT}/{pair}/lock", "a", encoding="utf8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        (what, why), _, _ = look(pair, started)
        if what not in ACTS:
            return True
        print(f"{what}: {why}", file=sys.stderr, flush=True)
        script, *words = ACTS[what]
        reason = [why] if what == "yield" else []
        done = subprocess.run(["bash", f"{HERE}/{script}", pair, *words, *reason],
                              timeout=ACT_LIMIT_S, check=False, stdin=subprocess.DEVNULL)
        return done.returncode == 0


def tell_network(pair):
    address = (pairs_of(f"/etc/{pair}/{pair}.conf") or {}).get("SERVICE_ADDRESS")
    if interface := interface_of(address):
        Link(interface, address).announce()


def watch(pair):
    started, said = f"/run/changeover-{pair}.started", None
    silent, contested = False, 0
    while True:
        (what, why), own, peer = look(pair, started)
        if peer:
            note(pair, own, peer)
        # One that is heard again may have held the address until now, and have told everybody so.
        if peer and own["holds_address"] and (silent or peer["holds_address"]):
            contested = time.monotonic() + CONTESTED_S
        if what == "nothing" and own["holds_address"] and time.monotonic() < contested:
            tell_network(pair)
        silent = peer is None
        if own["runs"] and not os.path.exists(started):
            open(started, "w", encoding="utf8").close()
        if what in ACTS:
            time.sleep(0 if act(pair, started) else RETRY_S)
        elif what == "wait" and why != said:
            print(f"not started: {why}; when it is to serve all the same: docs/runbook.md", file=sys.stderr, flush=True)
        said = why
        time.sleep(PAUSE_S)


if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
    print(__doc__)
    sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
watch(sys.argv[1])
