"""Folders of a Solr index in the core's data folder: the one in service, and old ones."""

import contextlib
import os
import shutil
import subprocess

from files import pairs_of

SILENT_S, HELD_S = 20, 3
# Exit codes of rsync for files that were deleted meanwhile.
VANISHED = (23, 24)


def sync(path):
    opened = os.open(path, os.O_RDONLY)
    os.fsync(opened)
    os.close(opened)


def named(data):
    """The folder that Solr opens at its next start."""
    return (pairs_of(f"{data}/index.properties") or {}).get("index", "index")


def name(data, folder):
    """From now on Solr opens `folder`, also after a power cut."""
    new = f"{data}/index.properties.new"
    with open(new, "w", encoding="utf8") as file:
        file.write(f"index={folder}\n")
    own(data, new)
    os.replace(new, f"{data}/index.properties")
    sync(data)


def own(data, path):
    """Give `path` to Solr's user, and sync it to the disk."""
    os.chown(path, os.stat(data).st_uid, os.stat(data).st_gid)
    sync(path)


def has_documents(data, folder):
    """Whether the index has more than the first, empty commit."""
    files = os.listdir(f"{data}/{folder}") if os.path.isdir(f"{data}/{folder}") else []
    return any(not file.startswith(("segments", "write.lock")) for file in files)


def clear(data, *keep):
    """Remove all folders of the index except `keep`, and nothing else."""
    for entry in list(os.scandir(data)):
        if entry.is_dir() and (entry.name == "index" or entry.name.startswith("index.")) and entry.name not in keep:
            shutil.rmtree(entry.path)


def pull(source, secret, files, target, basis, meanwhile):
    """Copy `files` of `source` into the folder `target` by rsync; a file that is the same in `basis` becomes a link.

    Calls `meanwhile` every few seconds. Returns the exit code of rsync. Files of a commit never
    change, so two files with the same size and time (to the nanosecond) are the same.
    """
    os.makedirs(target, exist_ok=True)
    # No process of rsync outlives this one: it would write into a folder that the next run removes.
    words = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "rsync"]
    words += ["--times", "--modify-window=-1", f"--link-dest={basis}"]
    words += [f"--timeout={SILENT_S}", f"--contimeout={SILENT_S}", f"--password-file={secret}"]
    # Paths in the list begin at the module: without chroot rsync 3.5 finds no file of a list that begins below it.
    words += ["--files-from=-", "--no-relative", source, f"{target}/"]
    child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=2, text=True)
    with contextlib.suppress(BrokenPipeError), child.stdin as names:
        names.write("".join(f"{file}\n" for file in files))
    try:
        while True:
            try:
                return child.wait(HELD_S)
            except subprocess.TimeoutExpired:
                meanwhile()
    finally:
        child.kill()
        child.wait()


def finish(data, target, files):
    """Keep only `files` in `target`, owned by Solr's user and synced to the disk.

    Returns the number of copied bytes; None when a file is missing or has another size.
    """
    present = {entry.name: entry.stat() for entry in os.scandir(target)}
    for extra in present.keys() - files.keys():
        os.remove(f"{target}/{extra}")
    if any(file not in present or present[file].st_size != size for file, size in files.items()):
        return None
    for file in files:
        own(data, f"{target}/{file}")
    own(data, target)
    return sum(present[file].st_size for file in files if present[file].st_nlink == 1)
