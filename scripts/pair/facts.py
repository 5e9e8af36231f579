"""Facts of a pair on this machine, measured now. Read-only; used by probe.py, peer.py, show_pair.py."""

import fcntl
import glob
import os
import re
import shutil
import socket
import time

import replay
from files import pairs_of, text_of
from role import ROOT, ask_server, data_of, role_of, settings_of
from usable import why_unusable

ROLE_KEYS = ("epoch", "serving", "served", "alone", "down", "half_made", "standby_signal", "holds_address")
# Where a server that accepts writes was promoted last: the last line of the history of its timeline.
FORK = r"""
select (regexp_match(pg_read_file('pg_wal/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '.history', 0, 100000, true),
  '\t([0-9A-F]+/[0-9A-F]+)[^\n]*\n*$'))[1]
"""
QUESTION = f"""
select json_build_object(
  'in_recovery', pg_is_in_recovery(),
  'system_id', (select system_identifier::text from pg_control_system()),
  'timeline', case when pg_is_in_recovery()
    then coalesce((select received_tli from pg_stat_wal_receiver), (select timeline_id from pg_control_checkpoint()))
    else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end,
  'position', case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
  'received', pg_last_wal_receive_lsn(),
  'forked_at', case when not pg_is_in_recovery() then ({FORK}) end,
  'replay', {replay.QUESTION},
  'last_commit_s', extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()),
  'streaming', (select json_build_object('from', sender_host, 'lag_bytes',
      pg_wal_lsn_diff(latest_end_lsn, pg_last_wal_replay_lsn()))
    from pg_stat_wal_receiver where status = 'streaming'),
  'standbys', coalesce((select json_agg(json_build_object('name', application_name, 'state', state, 'lag_bytes',
      pg_wal_lsn_diff(sent_lsn, replay_lsn))) from pg_stat_replication), '[]'::json))
"""


def holder(records):
    """The step that holds the component's lock now; None when the lock is free."""
    try:
        with open(f"{records}/lock", "a", encoding="utf8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return text_of(f"{records}/holder") or "another step"
    except OSError:
        pass
    return None


def database(pair, runs):
    """The answer of the server; without an answer, what the files say."""
    data = data_of(pair)
    cluster = pairs_of(f"{ROOT}/{pair}/cluster")
    facts = {
        "cluster": "absent" if not os.path.exists(f"{data}/PG_VERSION") else "ours" if cluster else "foreign",
        "postgres": "stopped",
        "in_recovery": None,
        "system_id": (cluster or {}).get("system_id"),
        **{key: None for key in ("timeline", "position", "received", "forked_at", "streaming", "last_commit_s", "replay")},
        "standbys": [],
        "unusable": None if runs or not cluster else why_unusable(pair),
        # Only a folder that can be moved aside can be replaced by a copy.
        "data_is_mount": os.path.ismount(data),
    }
    if not runs:
        return facts
    answer = ask_server(pair, QUESTION)
    facts["postgres"] = "running" if answer else "starting"
    facts.update(answer or {})
    found = replay.why(pair, facts["replay"])
    facts["replay"] = {"kind": found[0], "why": found[1]} if found else None
    return facts


def in_network_files(address):
    """The file of the machine's own network configuration that contains the address; None without one."""
    if address in (None, "none"):
        return None
    files = ["/etc/network/interfaces", "/etc/network/interfaces.d/*", "/etc/netplan/*"]
    files += ["/etc/systemd/network/*", "/etc/NetworkManager/system-connections/*"]
    pattern = re.compile(rf"(?<![\d.]){re.escape(address)}(?![\d.])")
    for path in sorted(match for name in files for match in glob.glob(name)):
        if os.path.isfile(path) and pattern.search(text_of(path) or ""):
            return path
    return None


def copies(records):
    """The age of each copy on this machine: {name: {age_s, from}}. A half-written record does not count."""
    ages = {}
    for path in glob.glob(f"{records}/copies/*"):
        record = pairs_of(path) or {}
        if record.get("at", "").isdigit():
            ages[os.path.basename(path)] = {"age_s": max(0, round(time.time()) - int(record["at"])), "from": record.get("from")}
    return ages


def free_mib(pair):
    """Free MiB on the disk of the pair's data folder, which may not exist yet."""
    path = data_of(pair)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return shutil.disk_usage(path).free // (1024 * 1024)


def facts(pair, address=None):
    """All facts. A machine that is not configured for the pair yet has facts too."""
    records = f"{ROOT}/{pair}"
    conf = pairs_of(f"/etc/{pair}/{pair}.conf")
    address = (conf or {}).get("SERVICE_ADDRESS", address)
    role = role_of(pair, address)
    done = {os.path.basename(path): (pairs_of(path) or {}).get("id") for path in glob.glob(f"{records}/done/*")}
    return {
        "host": (conf or {}).get("SELF") or socket.gethostname(),
        "pair": pair,
        "now_ms": time.time_ns() // 1_000_000,
        "stack": (pairs_of(f"{records}/stack") or {}).get("id"),
        "claim": pairs_of(f"{records}/claim"),
        "done": {key: value for key, value in done.items() if value},
        "expired": sorted(os.listdir(f"{records}/expired")) if os.path.isdir(f"{records}/expired") else [],
        "holder": holder(records),
        "configured": conf is not None,
        "status": text_of(f"/etc/{pair}/{pair}.status"),
        "fence": pairs_of(f"{records}/fence"),
        "copies": copies(records),
        "stands_still": os.path.exists(f"{settings_of(pair)}/conf.d/stands-still.conf"),
        **{key: role[key] for key in ROLE_KEYS},
        **database(pair, role["runs"]),
        "address_in_network_files": in_network_files(address),
        "free_mib": free_mib(pair),
    }
