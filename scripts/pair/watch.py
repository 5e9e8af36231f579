#!/usr/bin/env python3
"""Start this machine's server of a pair at boot if it may, and stop it when the peer was made production later.

Usage: watch.py PAIR    (a service)

Asks the peer every second; guard.json decides. Acts by serve.sh and step-down.sh, with
the component's lock, so never during a step of a transition. It acts first and notes
after: a record that can't be written stops no act. A server that an upgrade of its
package stopped is started again as at boot.
"""

import contextlib
import fcntl
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from ask_peer import ask  # noqa: E402
from guard import decide, features  # noqa: E402
from package_stop import dpkg_runs, mark_of  # noqa: E402
from peer_record import Notes, announce_address, keep_reserve, record_down, record_peer  # noqa: E402
from role import ROOT, role_of  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PAUSE_S, ASK_LIMIT_S, ACT_LIMIT_S, RETRY_S, CONTESTED_S = 1, 2, 600, 15, 10
# A fence stops the server for less.
STOPPED_LOOKS = 5
ACTS = {"start": ("serve.sh", "standby"), "serve": ("serve.sh", "production"), "yield": ("step-down.sh",)}


def say(text):
    # Nobody may read what this says any more; it goes on all the same.
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def look(pair, started):
    """What guard.json decides now, the role of this machine, and the role of the peer."""
    try:
        peer = ask(pair, "standing", ASK_LIMIT_S)
    except (OSError, ValueError, KeyError):
        peer = None
    own = role_of(pair)
    by_package = os.path.exists(mark_of(pair)) and not dpkg_runs()
    return decide(features(own, peer, os.path.exists(started) and not by_package)), own, peer


@contextlib.contextmanager
def lock_of(pair):
    """Hold the component's lock; false while a step has it. Records that are lost or read-only have no step, and stop no act."""
    try:
        opened = os.open(f"{ROOT}/{pair}/lock", os.O_RDONLY)
    except OSError as error:
        say(f"acts without the lock: {error}")
        yield True
        return
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(opened)


def act(pair, started):
    """Look again with the lock, and act. Returns whether nothing has to be tried again."""
    with lock_of(pair) as held:
        (what, why), _, _ = look(pair, started) if held else (("nothing", ""), None, None)
        if what not in ACTS:
            return True
        say(f"{what}: {why}")
        script, *words = ACTS[what]
        reason = [why] if what == "yield" else []
        try:
            ended = subprocess.run(["bash", f"{HERE}/{script}", pair, *words, *reason],
                                   timeout=ACT_LIMIT_S, check=False, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError) as error:
            say(f"{script}: {error}")
            return False
        return ended.returncode == 0


def note(notes, pair, started, own, peer):
    """What this machine keeps of a look, after it acted."""
    if peer:
        notes.attempt("the record of the peer's epoch", lambda: record_peer(pair, own, peer))
    notes.attempt("the record `down`", lambda: record_down(pair, own))
    notes.attempt("the reserve of the records", lambda: keep_reserve(pair))
    if own["runs"]:
        notes.attempt("the mark of this boot", lambda: open(started, "a", encoding="utf8").close())
        if os.path.exists(mark_of(pair)) and not dpkg_runs():
            notes.attempt("the mark of the package", lambda: os.unlink(mark_of(pair)))


def watch(pair):
    started, logged, notes = f"/run/changeover-{pair}.started", None, Notes()
    silent, contested, stopped = False, 0, 0
    while True:
        (what, why), own, peer = look(pair, started)
        if what in ACTS:
            time.sleep(0 if act(pair, started) else RETRY_S)
        elif what == "wait" and why != logged:
            say(f"not started: {why}; to serve without the peer: docs/runbook.md")
        stopped = stopped + 1 if what == "nothing" and own["whole"] and not own["runs"] else 0
        if stopped == STOPPED_LOOKS:
            say(f"left alone: {why}")
        note(notes, pair, started, own, peer)
        # A peer that answers again may have announced the service address until now.
        if peer and own["holds_address"] and (silent or peer["holds_address"]):
            contested = time.monotonic() + CONTESTED_S
        if what == "nothing" and own["holds_address"] and time.monotonic() < contested:
            notes.attempt("the announcement of the service address", lambda: announce_address(pair))
        silent = peer is None
        logged = why
        time.sleep(PAUSE_S)


if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
    print(__doc__)
    sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
watch(sys.argv[1])
