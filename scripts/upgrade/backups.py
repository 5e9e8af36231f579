"""Backups of the database on the main host: `NAME-ID.sql.gz`, and beside it `NAME-ID.json`, which says what must be in it."""

import hashlib
import json
import os
import re
import tempfile

import history
from host import Refused, log

ID = "%Y%m%dT%H%M%S"


def path_of(settings, number, kind="sql.gz"):
    return f"{settings['backup_folder']}/{settings['name']}-{number}.{kind}"


def number_of(settings, file):
    found = re.fullmatch(rf"{re.escape(settings['name'])}-(\d{{8}}T\d{{6}})\.(?:sql\.gz(?:\.part)?|json)", file)
    return found and found[1]


def names(settings):
    folder = settings.get("backup_folder")
    return sorted(os.listdir(folder)) if folder and os.path.isdir(folder) else []


def backups(settings):
    """Records of the verified backups, newest first."""
    found = []
    for file in names(settings):
        number = number_of(settings, file)
        if not (number and file.endswith(".json")):
            continue
        try:
            with open(path_of(settings, number, "json"), encoding="utf8") as text:
                record = json.load(text)
            if os.path.getsize(path_of(settings, number)) == record["bytes"]:
                found.append(record)
        except (OSError, ValueError, KeyError):
            continue
    return sorted(found, key=lambda record: record["id"], reverse=True)


def of_transition(settings, transition):
    """The newest backup that was made for a transition before it changed anything; None without one."""
    mine = (one for one in backups(settings) if one["transition"] == transition and not one["copy"])
    return next(mine, None)


def write(settings, record):
    """The record into its file, so that a reader sees the old one or the new one, also after a power cut."""
    folder, path = settings["backup_folder"], path_of(settings, record["id"], "json")
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf8") as file:
        json.dump(record, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)
    sync_folder(folder)


def sync_folder(folder):
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest(path):
    sums = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            sums.update(chunk)
    return sums.hexdigest()


def is_whole(settings, record):
    return digest(path_of(settings, record["id"])) == record["sha256"]


def require_whole(settings, record):
    if not is_whole(settings, record):
        path = path_of(settings, record["id"])
        raise Refused(f"{path} is damaged: its sha256 is not {record['sha256']}, which it had when it was made; allowed is that one only")


def needed(settings):
    """Backups that stay however old: the one that the last reconfigure can go back to, and those of a restore that is under way."""
    return {history.record(settings).get(key) for key in ("backup", "restoring", "copy")}


def clear(settings):
    """Remove what a backup that died has left: a part of a dump, a record without its dump, a dump without its record."""
    there = names(settings)
    for file in there:
        number = number_of(settings, file)
        other = {".json": "sql.gz", ".gz": "json"}.get(os.path.splitext(file)[1], "")
        if number and os.path.basename(path_of(settings, number, other)) not in there:
            log(f"removing {file}, which a run that broke off has left")
            os.unlink(f"{settings['backup_folder']}/{file}")


def retain(settings, named):
    """Remove all but the newest `keep` that were restored on trial, the one that is not yet, the one that is named to go back to, and those that are needed."""
    known = backups(settings)
    good = [record["id"] for record in known if record["restored"] and not record["copy"]]
    kept = {known[0]["id"], named, *good[: int(settings["keep"])], *needed(settings)}
    for record in known:
        if record["id"] in kept:
            continue
        log(f"removing backup {record['id']} of {record['version']}: the newest {settings['keep']} good ones are kept")
        # The record goes first: a dump without one is no backup.
        for kind in ("json", "sql.gz"):
            os.unlink(path_of(settings, record["id"], kind))
