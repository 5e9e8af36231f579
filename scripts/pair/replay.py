#!/usr/bin/env python3
"""Print why replay stands still on this standby: two lines, the kind and the words; nothing while it goes on. Read-only.

Usage: replay.py PAIR

Kinds: `paused` (a person asked for it), `held` (by a session), `delayed` (recovery_min_apply_delay), `short` (a setting
is lower than production's, so that PostgreSQL neither goes on nor may be resumed).
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from role import BIN, ask_server, data_of, run  # noqa: E402

# A conflict that is younger resolves itself.
HELD_S = 1
CONTROL_LIMIT_S = 1
# The settings of a standby that may not be lower than production's, and their names in the control file.
LEAST = {
    "max_connections": "max_connections",
    "max_worker_processes": "max_worker_processes",
    "max_wal_senders": "max_wal_senders",
    "max_prepared_transactions": "max_prepared_xacts",
    "max_locks_per_transaction": "max_locks_per_xact",
}
# A part of the question that facts.py asks. Whoever has the oldest snapshot holds replay first.
QUESTION = f"""
case when pg_is_in_recovery() then (select json_build_object(
  'pause', pg_get_wal_replay_pause_state(),
  'wait', startup.wait_event, 'type', startup.wait_event_type,
  'delay', (select setting::bigint from pg_settings where name = 'recovery_min_apply_delay'),
  'settings', (select json_object_agg(name, setting) from pg_settings where name in ({", ".join(f"'{name}'" for name in LEAST)})),
  'holder', (select json_build_object('pid', pid, 'user', usename, 'since', to_char(xact_start at time zone 'UTC', 'HH24:MI:SS'),
      's', extract(epoch from clock_timestamp() - xact_start))
    from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and xact_start is not null
      and case startup.wait_event_type when 'Lock' then pid = any(pg_blocking_pids(startup.pid)) else backend_xmin is not null end
    order by age(backend_xmin) desc nulls last, xact_start limit 1))
  from (select 1) as one left join pg_stat_activity as startup on startup.backend_type = 'startup') end
"""


def short_settings(pair, settings):
    """Each setting that is lower here than on production, in words."""
    shown = run([f"{BIN}/pg_controldata", data_of(pair)], CONTROL_LIMIT_S, env={"LC_ALL": "C"})
    there = dict(re.findall(r"^(\w+) setting: +(\d+)$", shown, re.MULTILINE))
    for name, control in LEAST.items():
        here, needed = int(settings.get(name, 0)), int(there.get(control, 0))
        if here < needed:
            yield f"{name} is {here} here (needed: {needed}, as on production)"


def why(pair, replay):
    """(kind, words) of what QUESTION found; None while replay goes on, and on a server that accepts writes."""
    if not replay:
        return None
    if replay["pause"] != "not paused":
        short = "; ".join(short_settings(pair, replay["settings"]))
        if short:
            return "short", f"replay stands: {short}; set it in PostgreSQL's configuration here, and restart PostgreSQL here"
        return "paused", "replay is paused by hand; resume it here: select pg_wal_replay_resume()"
    holder = replay["holder"]
    waits = replay["type"] in ("Lock", "BufferPin") or (replay["wait"] or "").startswith("RecoveryConflict")
    if waits and holder and holder["s"] >= HELD_S:
        who = f"pid {holder['pid']} of {holder['user']}, since {holder['since']} UTC"
        return "held", f"replay is held by a query ({who}); wait for it, or end it here: select pg_terminate_backend({holder['pid']})"
    if replay["delay"]:
        seconds = replay["delay"] // 1000
        return "delayed", f"replay is {seconds} s late on purpose (recovery_min_apply_delay); set it to 0 here, and reload"
    return None


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    found = why(sys.argv[1], ask_server(sys.argv[1], f"select {QUESTION}"))
    if found:
        print("\n".join(found))


if __name__ == "__main__":
    main()
