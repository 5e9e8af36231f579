"""The role of a machine of a pair, from its records and the process table only. Read-only."""

import json
import os
import subprocess

from files import pairs_of, text_of

ROOT = os.environ.get("CHANGEOVER_ROOT", "/var/lib/changeover")
PG_MAJOR = text_of(os.path.join(os.path.dirname(os.path.abspath(__file__)), "postgres-version"))
BIN = f"/usr/lib/postgresql/{PG_MAJOR}/bin"
# Every session has these, whatever limits a server, database or role has for its clients.
SESSION_OPTIONS = text_of(os.path.join(os.path.dirname(os.path.abspath(__file__)), "session-options"))
IP_LIMIT_S = 0.5
# With the limit of `ip` less than the 3 s that a probe may take.
PSQL_LIMIT_S = 2
# In the data folder while the record `down` can't be written: an empty file needs no room.
DOWN_MARK = "changeover.down"


def run(words, limit, **options):
    """Output of a command; empty when it fails or takes longer than `limit` seconds."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=limit, check=False, **options)
        return done.stdout if done.returncode == 0 else ""
    except (OSError, KeyError, LookupError, subprocess.SubprocessError):
        return ""


def ask_server(pair, question, database="postgres", limit=PSQL_LIMIT_S):
    """The JSON that this machine's server answers to a question; None without an answer within `limit` seconds."""
    port = (pairs_of(f"/etc/{pair}/{pair}.conf") or {}).get("PORT", "5432")
    psql = [f"{BIN}/psql", "-XAtqd", database, "-p", port, "-c", question]
    env = {"PATH": os.environ.get("PATH", ""), "PGOPTIONS": SESSION_OPTIONS, "PGCONNECT_TIMEOUT": "2"}
    user = {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": "/"} if os.geteuid() == 0 else {}
    answer = run(psql, limit, env=env, **user)
    return json.loads(answer) if answer.strip() else None


def data_of(pair):
    """The data folder of the pair's cluster."""
    return f"/var/lib/postgresql/{PG_MAJOR}/{pair}"


def settings_of(pair):
    return f"/etc/postgresql/{PG_MAJOR}/{pair}"


def runs(data):
    """Whether the server runs, checked by its working folder: the process number in its file may be reused."""
    pid = (text_of(f"{data}/postmaster.pid") or "").split("\n", 1)[0]
    try:
        return pid.isdigit() and os.path.samefile(f"/proc/{pid}/cwd", data)
    except OSError:
        return False


def interface_of(address):
    """The interface of this machine that has the address; None without one."""
    if address in (None, "none"):
        return None
    words = run(["ip", "-o", "address", "show", "to", f"{address}/32"], IP_LIMIT_S).split()
    return words[1] if len(words) > 1 else None


def holds(address):
    return interface_of(address) is not None


def is_copy(records):
    """Whether the records came here with a copy of another machine's disk. A disk that moved has its machine-id with it."""
    made_on, now = (pairs_of(f"{records}/machine") or {}).get("id"), text_of("/etc/machine-id")
    return bool(made_on and now) and made_on != now


def number(record):
    """The epoch in a record; 0 without one."""
    epoch = (record or {}).get("epoch", "")
    return int(epoch) if epoch.isascii() and epoch.isdigit() else 0


def served(records):
    """The epoch at which this machine was last promoted; 0 without one. A promotion that only began does not count."""
    record = pairs_of(f"{records}/serving") or {}
    return number(pairs_of(f"{records}/serving.before") if record.get("promoted") == "no" else record)


def role_of(pair, address=None):
    """What this machine was made and what it runs. `serving`: the epoch at which it was last made production.

    @param address the service address, for a machine that is not configured yet.
    """
    records, data = f"{ROOT}/{pair}", data_of(pair)
    conf = pairs_of(f"/etc/{pair}/{pair}.conf") or {}
    record = {name: pairs_of(f"{records}/{name}") for name in ("serving", "alone", "claim", "seen", "down")}
    down = (record["down"] or {}).get("why")
    if down is None and os.path.exists(f"{data}/{DOWN_MARK}"):
        down = "it stepped down, and its record of that could not be written"
    half = os.path.exists(f"{records}/rewinding") or os.path.exists(f"{records}/making")
    whole = os.path.exists(f"{records}/cluster") and os.path.exists(f"{data}/PG_VERSION") and not half
    return {
        "host": conf.get("SELF"),
        "serving": number(record["serving"]),
        "served": served(records),
        "serving_id": (record["serving"] or {}).get("id"),
        "alone": number(record["alone"]),
        "down": down,
        "epoch": max(number(record[name]) for name in ("serving", "alone", "claim", "seen")),
        "half_made": half,
        "whole": whole,
        "copy": is_copy(records),
        "standby_signal": os.path.exists(f"{data}/standby.signal"),
        "runs": runs(data),
        "holds_address": holds(conf.get("SERVICE_ADDRESS", address)),
    }
