"""What this machine has recorded of a component: claim, done marks, who operates it, who holds its lock. Read-only."""

import fcntl
import os
import time

ROOT = os.environ.get("CHANGEOVER_ROOT", "/var/lib/changeover")


def pairs_of(path):
    """KEY=VALUE lines of a file as a dictionary; None when there is no such file."""
    try:
        with open(path, encoding="utf8") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    except OSError:
        return None


def text_of(path):
    try:
        with open(path, encoding="utf8") as file:
            return file.read().strip()
    except OSError:
        return None


def names_in(folder):
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def number(record):
    """The epoch in a record, 0 without one."""
    epoch = (record or {}).get("epoch", "")
    return int(epoch) if epoch.isdigit() else 0


def holder(records):
    """Who holds the component's lock now; None when it is free."""
    try:
        with open(f"{records}/lock", "a", encoding="utf8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return text_of(f"{records}/holder") or "another step"
    except OSError:
        pass
    return None


def failing(records):
    """Temporary changes whose undo has failed, and how often."""
    changes = {name: pairs_of(f"{records}/temporary/{name}") or {} for name in names_in(f"{records}/temporary")}
    return {name: change["failed"] for name, change in changes.items() if "failed" in change}


def records_of(component):
    """The part of a probe's answer that every component has."""
    records = f"{ROOT}/{component}"
    claim = pairs_of(f"{records}/claim")
    done = {name: (pairs_of(f"{records}/done/{name}") or {}).get("id") for name in names_in(f"{records}/done")}
    return {
        "now_ms": time.time_ns() // 1_000_000,
        "stack": (pairs_of(f"{records}/stack") or {}).get("id"),
        "claim": claim,
        "epoch": number(claim),
        "done": {key: value for key, value in done.items() if value},
        "expired": names_in(f"{records}/expired"),
        "failing": failing(records),
        "holder": holder(records),
    }
