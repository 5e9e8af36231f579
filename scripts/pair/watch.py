#!/usr/bin/env python3
"""Start this machine's server of a pair at boot if it may, and stop it when the peer was made production later.

Usage: watch.py PAIR    (a service)

Asks the peer every second; guard.json decides. Acts by serve.sh and step-down.sh, with
the component's lock, so never during a step of a transition.
"""

import fcntl
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from ask_peer import ask  # noqa: E402
from guard import decide, features  # noqa: E402
from peer_record import announce_address, record_peer  # noqa: E402
from role import ROOT, role_of  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PAUSE_S, ASK_LIMIT_S, ACT_LIMIT_S, RETRY_S, CONTESTED_S = 1, 2, 600, 15, 10
ACTS = {"start": ("serve.sh", "standby"), "serve": ("serve.sh", "production"), "yield": ("step-down.sh",)}


def look(pair, started):
    """What guard.json decides now, the role of this machine, and the role of the peer."""
    try:
        peer = ask(pair, "standing", ASK_LIMIT_S)
        peer = peer if "serving" in peer else None  # a release without this answer
    except (OSError, ValueError, KeyError):
        peer = None
    own = role_of(pair)
    return decide(features(own, peer, os.path.exists(started))), own, peer


def act(pair, started):
    """Look again with the lock, and act. Returns whether nothing has to be tried again."""
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
        ended = subprocess.run(["bash", f"{HERE}/{script}", pair, *words, *reason],
                               timeout=ACT_LIMIT_S, check=False, stdin=subprocess.DEVNULL)
        return ended.returncode == 0


def watch(pair):
    started, logged = f"/run/changeover-{pair}.started", None
    silent, contested = False, 0
    while True:
        (what, why), own, peer = look(pair, started)
        if peer:
            record_peer(pair, own, peer)
        # A peer that answers again may have announced the service address until now.
        if peer and own["holds_address"] and (silent or peer["holds_address"]):
            contested = time.monotonic() + CONTESTED_S
        if what == "nothing" and own["holds_address"] and time.monotonic() < contested:
            announce_address(pair)
        silent = peer is None
        if own["runs"] and not os.path.exists(started):
            open(started, "w", encoding="utf8").close()
        if what in ACTS:
            time.sleep(0 if act(pair, started) else RETRY_S)
        elif what == "wait" and why != logged:
            print(f"not started: {why}; to serve without the peer: docs/runbook.md", file=sys.stderr, flush=True)
        logged = why
        time.sleep(PAUSE_S)


if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
    print(__doc__)
    sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
watch(sys.argv[1])
