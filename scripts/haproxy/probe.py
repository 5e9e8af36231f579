#!/usr/bin/env python3
"""Describe this balancer's part in a pool: one line of JSON on stdout. Read-only.

Usage: probe.py COMPONENT POOL
"""

import json
import re
import subprocess

import addresses
import pool as pools
import runtime
from drain import healthy
from records import pairs_of, records_of
from exit_codes import run


def version():
    try:
        ran = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return None
    number = re.search(r"version (\d+\.\d+\.\d+)", ran.stdout)
    return number[1] if number else None


def server(pool, name, state, row):
    return {
        "status": row.get("status"),
        "admin": runtime.admin_of(state) if state else pool.record(name).get("admin") or "maint",
        "sessions": runtime.sessions(pool.name, name) if state else 0,
        "wanted": pool.record(name).get("wanted"),
        # The transition that moves the server or took it out, until the server enters again.
        "by": pool.record(name).get("by"),
    }


def holders(pool):
    """By address of the site: the programs that listen on it."""
    rows = addresses.listeners()
    return {bind: sorted(addresses.at(bind, rows)) for bind in pool.binds()}


def facts(component, name):
    pool, up = pools.Pool(name), pools.running()
    why = runtime.trouble() if up else None
    states, rows = {}, {}
    if up and not why:
        try:
            states, rows = runtime.servers_state(name), runtime.stat()
        except runtime.Unusable as error:
            why = str(error)
    usable = up and not why
    return {
        **records_of(component),
        "version": version(),
        "running": up,
        "servers": {
            member: server(pool, member, states.get(member), rows.get((name, member), {}))
            for member in sorted({*pool.servers(), *states})
        },
        "maintenance": pool.maintenance(),
        "serves": holders(pool),
        # The archive of a retired Apache's configuration; null while Apache can still take over.
        "apacheRetired": (pairs_of(f"{pool.folder}/apache/retired") or {}).get("archive"),
        "agrees": pool.differs() if usable or not up else None,
        "misplaced": pool.misplaced() if usable else None,
        "socket": why,
        "minHealthyNow": len(healthy(pool, states)) if usable else 0,
    }


def main(component, name):
    return json.dumps(facts(component, name))


run(main, __doc__, 2)
