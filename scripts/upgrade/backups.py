"""Backups of the main database: `NAME-ID.sql.gz`, and next to it `NAME-ID.json` with the expected contents.

They lie in a folder of their own, NAME in the settings' folder. An older release put them into the settings' folder itself,
where they are still found.
"""

import hashlib
import json
import os
import re
import stat
import subprocess

import history
from handles import Untrusted, require_own, write_file
from host import Refused, last_line, log

ID = "%Y%m%dT%H%M%S"
MARK = b"\n-- Dump completed"


def place(settings):
    return f"{settings['backup_folder']}/{settings['name']}"


def path_of(settings, number, kind="sql.gz"):
    file = f"{settings['name']}-{number}.{kind}"
    older = f"{settings['backup_folder']}/{file}"
    return older if os.path.isfile(older) else f"{place(settings)}/{file}"


def make_place(settings):
    """The folder, which belongs to root alone. The settings' folder keeps the mode that it has."""
    folder = place(settings)
    try:
        os.makedirs(settings["backup_folder"], 0o700, exist_ok=True)
        require_own(folder)
        if not os.path.lexists(folder):
            os.mkdir(folder, 0o700)
        found = os.lstat(folder)
    except Untrusted as untrusted:
        raise Refused(f"{untrusted}; set another backup.folder") from None
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISDIR(found.st_mode) or mode != 0o700:
        raise Refused(
            f"{folder} is there with mode {mode:04o} (allowed: a folder with mode 0700, which this program makes); "
            "if it has backups and nothing else: chmod 0700, or set another backup.folder"
        )
    return folder


def number_of(settings, file):
    match = re.fullmatch(rf"{re.escape(settings['name'])}-(\d{{8}}T\d{{6}})\.(?:sql\.gz(?:\.part)?|json)", file)
    return match and match[1]


def names(settings):
    if not settings.get("backup_folder"):
        return []
    folders = filter(os.path.isdir, (settings["backup_folder"], place(settings)))
    return sorted({file for folder in folders for file in os.listdir(folder) if number_of(settings, file)})


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
    return sorted(records, key=lambda record: (record.get("serial", 0), record["id"]), reverse=True)


def next_serial(settings):
    """Backups are told apart by their order, not by a clock that may go back."""
    return max((record.get("serial", 0) for record in backups(settings)), default=0) + 1


def of_transition(settings, transition):
    """The newest backup that a transition made before it changed anything, or None."""
    own = (record for record in backups(settings) if record["transition"] == transition and not record["copy"])
    return next(own, None)


def write(settings, record):
    """Write the record so that a reader sees either the old or the new one, also after a power cut."""
    write_file(path_of(settings, record["id"], "json"), json.dumps(record, indent=1), 0o600)


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
            os.unlink(path_of(settings, number, file.partition(".")[2]))


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
