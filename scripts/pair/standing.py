"""Where a machine of a pair stands: what it may be and what it is, from files and the process table alone. Read-only."""

import os
import subprocess

from files import pairs_of, text_of

ROOT = os.environ.get("CHANGEOVER_ROOT", "/var/lib/changeover")
IP_LIMIT_S = 0.5


def run(words, limit, **options):
    """Output of a command; empty when it fails or takes longer."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=limit, check=False, **options)
        return done.stdout if done.returncode == 0 else ""
    except (OSError, KeyError, LookupError, subprocess.SubprocessError):
        return ""


def runs(data):
    """Whether the process of the server is there: the number in its file may be another's by now."""
    pid = (text_of(f"{data}/postmaster.pid") or "").split("\n", 1)[0]
    try:
        return pid.isdigit() and os.path.samefile(f"/proc/{pid}/cwd", data)
    except OSError:
        return False


def interface_of(address):
    """The interface that carries the address here, None without one."""
    if address in (None, "none"):
        return None
    words = run(["ip", "-o", "address", "show", "to", f"{address}/32"], IP_LIMIT_S).split()
    return words[1] if len(words) > 1 else None


def holds(address):
    return interface_of(address) is not None


def number(record):
    """The epoch in a record, 0 without one."""
    epoch = (record or {}).get("epoch", "")
    return int(epoch) if epoch.isdigit() else 0


def served(records):
    """The epoch at which this machine was last promoted, 0 without one: not one at which that was only begun."""
    record = pairs_of(f"{records}/serving") or {}
    return number(pairs_of(f"{records}/serving.before") if record.get("promoted") == "no" else record)


def standing(pair, address=None):
    """`serving`: the epoch at which this machine was last made production, and by which transition.

    @param address service address of a machine that has not been told its own yet.
    """
    records, data = f"{ROOT}/{pair}", f"/var/lib/postgresql/15/{pair}"
    conf = pairs_of(f"/etc/{pair}/{pair}.conf") or {}
    made = {name: pairs_of(f"{records}/{name}") for name in ("serving", "alone", "claim", "seen", "down")}
    half = os.path.exists(f"{records}/rewinding") or os.path.exists(f"{records}/making")
    cluster = os.path.exists(f"{records}/cluster") and os.path.exists(f"{data}/PG_VERSION") and not half
    return {
        "host": conf.get("SELF"),
        "serving": number(made["serving"]),
        "served": served(records),
        "serving_id": (made["serving"] or {}).get("id"),
        "alone": number(made["alone"]),
        "down": (made["down"] or {}).get("why"),
        "epoch": max(number(made[name]) for name in ("serving", "alone", "claim", "seen")),
        "half_made": half,
        "whole": cluster,
        "standby_signal": os.path.exists(f"{data}/standby.signal"),
        "runs": runs(data),
        "holds_address": holds(conf.get("SERVICE_ADDRESS", address)),
    }
