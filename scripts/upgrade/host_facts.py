"""The facts of one host that an upgrade's preflight, `verify` and `look` read."""

import concurrent.futures
import shutil
import time

import backups
import clocks
import database
import history
import packages
from contents import tables_of
from disk import free_bytes, used_percent
from host import Ends, Refused, facts, pairs_of
from repository import offers
from session import session
from status import services_of, supervisor_runs, wrong_services


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
    """Whether the database has data, its size, and what is wrong with its credentials."""
    if history.record(settings).get("fresh"):
        return {"data": False, "data_mib": None, "credentials": None, "database": None}
    wrong = database.wrong_file(settings["credentials"])
    if wrong:
        return {"data": None, "data_mib": None, "credentials": wrong, "database": None}
    try:
        answer = database.answers(settings)
        if answer:
            raise answer
        with session(settings) as asked:
            tables = tables_of(asked)
    except Ends as end:
        refused = str(end) if isinstance(end, Refused) else None
        return {"data": None, "data_mib": None, "credentials": refused, "database": None if refused else str(end)}
    return {"data": bool(tables), "data_mib": sum(table.bytes for table in tables) >> 20, "credentials": None, "database": None}


def backup_facts(settings, data_mib):
    known = backups.backups(settings)
    spent = history.spent(settings)
    good = [backup for backup in known if backup["restored"] and backup["version"] and not backup["copy"] and backup["id"] not in spent]
    folder = settings["backup_folder"]
    estimate = known[0]["bytes"] >> 20 if known else data_mib
    keys = ("id", "version", "at", "tables", "bytes")
    return {
        "backup_mib": estimate,
        "backup_free_mib": free_bytes(folder) >> 20,
        "backup_percent_after": used_percent(folder, (estimate or 0) << 20),
        "backup_age_s": int(clocks.age(known[0]) or 0) if known else None,
        "backups": [{**{key: backup[key] for key in keys}, "rows": sum(rows or 0 for rows in backup["rows"].values())} for backup in good],
    }


def history_facts(settings, version, data):
    """The version of the schema, and whether it is newer than VERSION. Without a record: the installed version."""
    schema = history.schema_version(settings) or (packages.installed(settings)[0] if data is not False else None)
    half = history.half_restored(settings)
    newer = packages.newer(packages.kind_of(settings), schema, version) if schema and version else None
    return {"reconfigured": schema, "newer": True if half else newer, "restoring": half}


# Facts that only the main host has.
MAIN_ONLY = (
    *("backup_mib", "backup_free_mib", "backup_percent_after", "backup_age_s", "backups", "reconfigured", "newer", "restoring"),
    *("data", "data_mib", "credentials", "database"),
)


def facts_of(settings, version):
    """All facts of this host; `version` is the wanted one, or None."""
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        parts = [threads.submit(package_facts, settings, version), threads.submit(service_facts, settings)]
        said = dict.fromkeys(MAIN_ONLY)
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
