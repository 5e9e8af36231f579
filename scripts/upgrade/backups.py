"""Backups of the main database: `NAME-ID.sql.gz`, and next to it `NAME-ID.json` with the expected contents."""

import hashlib
import json
import os
import re
import subprocess
import tempfile

import history
from host import Refused, last_line, log

ID = "%Y%m%dT%H%M%S"
MARK = b"\n-- Dump completed"


def path_of(settings, number, kind="sql.gz"):
    return f"{settings['backup_folder']}/{settings['name']}-{number}.{kind}"


def number_of(settings, file):
    match = re.fullmatch(rf"{re.escape(settings['name'])}-(\d{{8}}T\d{{6}})\.(?:sql\.gz(?:\.part)?|json)", file)
    return match and match[1]


def names(settings):
    folder = settings.get("backup_folder")
    return sorted(os.listdir(folder)) if folder and os.path.isdir(folder) else []


def backups(settings):
    """Records of the verified backups, newest first."""
    records = []
    for file in names(settings):
        number = number_of(settings, file)
        if not (number and file.endswith(".json")):
            continue
        try:
            with open(path_of(settings, number, "json"), encoding="utf8") as text:
                record = json.load(text)
            if os.path.getsize(path_of(settings, number)) == record["bytes"]:
                records.append(record)
        except (OSError, ValueError, KeyError):
            continue
    return sorted(records, key=lambda record: record["id"], reverse=True)


def of_transition(settings, transition):
    """The newest backup that a transition made before it changed anything, or None."""
    own = (record for record in backups(settings) if record["transition"] == transition and not record["copy"])
    return next(own, None)


def write(settings, record):
    """Write the record so that a reader sees either the old or the new one, also after a power cut."""
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
        raise Refused(f"{path} is damaged: its sha256 is no longer {record['sha256']}; allowed: an intact backup")


def verify_dump(path):
    """Unpack the file on disk: it must be complete, with the end marker of a dump. Returns its unpacked size."""
    end, size = b"", 0
    with subprocess.Popen(["gzip", "-dc", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as unpacker:
        for chunk in iter(lambda: unpacker.stdout.read1(1 << 20), b""):
            end, size = (end + chunk)[-4096:], size + len(chunk)
        error = last_line(unpacker.stderr.read().decode(errors="replace"))
    if unpacker.returncode != 0 or os.path.getsize(path) == 0:
        raise Refused(f"the dump can't be unpacked: {error}; it was removed; run again")
    last = end.rstrip().rpartition(b"\n")[2]
    if MARK not in b"\n" + last:
        said = last[:80].decode(errors="replace")
        raise Refused(f'the dump ends with "{said}" (allowed: "-- Dump completed"), so it is cut off; it was removed; run again')
    return size


def needed(settings):
    """Backups that stay at any age: the one from before the last reconfigure, and those of an unfinished restore."""
    return {history.record(settings).get(key) for key in ("backup", "restoring", "copy")}


def clear(settings):
    """Remove leftovers of an interrupted backup: a partial dump, a record without a dump, a dump without a record."""
    files = names(settings)
    for file in files:
        number = number_of(settings, file)
        partner = {".json": "sql.gz", ".gz": "json"}.get(os.path.splitext(file)[1], "")
        if number and os.path.basename(path_of(settings, number, partner)) not in files:
            log(f"removing {file}, a leftover of an interrupted backup")
            os.unlink(f"{settings['backup_folder']}/{file}")


def retain(settings, named):
    """
    Remove old backups. These stay: the newest, the newest `keep` that passed their trial restore, the one that the stack
    file names, and the needed ones.
    """
    known = backups(settings)
    good = [record["id"] for record in known if record["restored"] and not record["copy"]]
    kept = {known[0]["id"], named, *good[: int(settings["keep"])], *needed(settings)}
    for record in known:
        if record["id"] in kept:
            continue
        log(f"removing backup {record['id']} of {record['version']}: the newest {settings['keep']} that passed their trial restore are kept")
        # The record is removed first: a dump without a record is not a backup.
        for kind in ("json", "sql.gz"):
            os.unlink(path_of(settings, record["id"], kind))
