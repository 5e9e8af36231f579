#!/usr/bin/env python3
"""Describe this machine for an upgrade of its package to VERSION: one line of JSON on stdout. Read-only.

Usage: probe.py COMPONENT NAME [VERSION]

Without VERSION no repository is asked what it offers.
"""

import concurrent.futures
import json
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import backups  # noqa: E402
import database  # noqa: E402
import history  # noqa: E402
import packages  # noqa: E402
from disk import free_bytes, used_percent  # noqa: E402
from host import Ends, Refused, facts, pairs_of, settings_of, start  # noqa: E402
from records import records_of  # noqa: E402
from repository import offers  # noqa: E402
from status import services_of, supervisor_runs, wrong_services  # noqa: E402


def package_facts(settings, version):
    found, whole = packages.installed(settings)
    available, repository, needs = offers(settings, version) if version else (None, None, None)
    why, kind = packages.held(settings), packages.kind_of(settings)
    return {
        "kind": kind if any(map(shutil.which, {"deb": ("apt-get",), "rpm": ("dnf", "yum")}[kind])) else None,
        "installed": found,
        "whole": whole,
        "available": available or (whole and found == version),
        "repository": repository,
        "needs_mib": needs,
        "held": why is not None,
        "held_why": why,
    }


def service_facts(settings):
    found, why = services_of(settings)
    return {
        "supervisor": supervisor_runs(settings),
        "services": {name: service["state"] for name, service in found.items()},
        "services_why": why,
        "not_running": list(wrong_services(settings, found)),
    }


def database_facts(settings):
    """What the database says of itself: whether it has data, its size, what is wrong with the credentials."""
    if history.record(settings).get("fresh"):
        return {"data": False, "data_mib": None, "credentials": None, "database": None}
    wrong = database.wrong_file(settings["credentials"])
    if wrong:
        return {"data": None, "data_mib": None, "credentials": wrong, "database": None}
    try:
        answer = database.answers(settings)
        if answer:
            raise answer
        with database.session(settings) as asked:
            tables = database.tables_of(asked)
    except Ends as end:
        refused = str(end) if isinstance(end, Refused) else None
        return {"data": None, "data_mib": None, "credentials": refused, "database": None if refused else str(end)}
    return {"data": bool(tables), "data_mib": sum(table[3] for table in tables) >> 20, "credentials": None, "database": None}


def backup_facts(settings, data_mib):
    known = backups.backups(settings)
    good = [one for one in known if one["restored"] and one["version"] and not one["copy"] and one["id"] not in history.spent(settings)]
    folder = settings["backup_folder"]
    estimate = known[0]["bytes"] >> 20 if known else data_mib
    keys = ("id", "version", "at", "tables", "bytes")
    return {
        "backup_mib": estimate,
        "backup_free_mib": free_bytes(folder) >> 20,
        "backup_percent_after": used_percent(folder, (estimate or 0) << 20),
        "backup_age_s": int(time.time() - known[0]["at"]) if known else None,
        "backups": [{**{key: one[key] for key in keys}, "rows": sum(rows or 0 for rows in one["rows"].values())} for one in good],
    }


def history_facts(settings, version, data):
    """What the database was last brought to, and whether that is newer than VERSION. At first: by what is installed."""
    of = history.brought(settings) or (packages.installed(settings)[0] if data is not False else None)
    half = history.half_restored(settings)
    newer = packages.newer(packages.kind_of(settings), of, version) if of and version else None
    return {"reconfigured": of, "newer": True if half else newer, "restoring": half}


ELSEWHERE = (
    *("backup_mib", "backup_free_mib", "backup_percent_after", "backup_age_s", "backups", "reconfigured", "newer", "restoring"),
    *("data", "data_mib", "credentials", "database"),
)


def described(settings, version):
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        parts = [threads.submit(package_facts, settings, version), threads.submit(service_facts, settings)]
        said = dict.fromkeys(ELSEWHERE)
        if settings["main"] == "yes":
            asked = database_facts(settings)
            said = {**asked, **backup_facts(settings, asked["data_mib"]), **history_facts(settings, version, asked["data"])}
        for part in parts:
            said.update(part.result())
    folder = settings["folder"]
    silenced = (pairs_of(f"{facts(settings)}/silenced") or {}).get("until", "0")
    return {
        **said,
        "main": settings["main"] == "yes",
        "disk_percent": used_percent(folder),
        "free_mib": free_bytes(folder) >> 20,
        "silenced": int(silenced) > time.time(),
    }


def main(component, name, version=None):
    if version and not packages.VERSION.fullmatch(version):
        sys.exit(64)
    settings = settings_of(name)
    print(json.dumps({**records_of(component), "configured": bool(settings), **(described(settings, version) if settings else {})}))


start(main, __doc__, 2, 3)
