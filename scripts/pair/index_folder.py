"""Folders of a Solr index beside each other in its data: the one that counts, and those that are left over."""

import contextlib
import os
import shutil
import subprocess

from files import pairs_of

SILENT_S, HELD_S = 20, 3
# rsync's words for files that went away meanwhile.
VANISHED = (23, 24)


def sync(path):
    opened = os.open(path, os.O_RDONLY)
    os.fsync(opened)
    os.close(opened)


def named(data):
    """The folder that Solr opens at its next start."""
    return (pairs_of(f"{data}/index.properties") or {}).get("index", "index")


def name(data, folder):
    """Have Solr open `folder` from now on, also after a power cut."""
    new = f"{data}/index.properties.new"
    with open(new, "w", encoding="utf8") as file:
        file.write(f"index={folder}\n")
    own(data, new)
    os.replace(new, f"{data}/index.properties")
    sync(data)


def own(data, path):
    """Give it to Solr's user, and have it on the disk."""
    os.chown(path, os.stat(data).st_uid, os.stat(data).st_gid)
    sync(path)


def has_documents(data, folder):
    """Whether it holds more than the first, empty commit."""
    files = os.listdir(f"{data}/{folder}") if os.path.isdir(f"{data}/{folder}") else []
    return any(not file.startswith(("segments", "write.lock")) for file in files)


def clear(data, *keep):
    """Remove all folders of the index but those; no other file of the data is touched."""
    for entry in list(os.scandir(data)):
        if entry.is_dir() and (entry.name == "index" or entry.name.startswith("index.")) and entry.name not in keep:
            shutil.rmtree(entry.path)


def pull(source, secret, files, target, basis, meanwhile):
    """Have rsync bring `files` of `source` into the folder `target`; what `basis` has the same already becomes a link.

    `meanwhile` is called every few seconds. Returns how rsync ended. Files of a commit are never
    changed, so size and time (to the nanosecond) tell whether two are the same.
    """
    os.makedirs(target, exist_ok=True)
    # No process of it outlives this one: what goes on writing would write into what the next run removes.
    words = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "rsync"]
    words += ["--times", "--modify-window=-1", f"--link-dest={basis}"]
    words += [f"--timeout={SILENT_S}", f"--contimeout={SILENT_S}", f"--password-file={secret}"]
    # The list begins at the module: rsync 3.5 without chroot finds no file of a list that begins below it.
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
    """Leave just `files` in `target`, Solr's own and on the disk; bytes that were not here before.

    None when one has not its size.
    """
    found = {entry.name: entry.stat() for entry in os.scandir(target)}
    for extra in found.keys() - files.keys():
        os.remove(f"{target}/{extra}")
    if any(file not in found or found[file].st_size != size for file, size in files.items()):
        return None
    for file in files:
        own(data, f"{target}/{file}")
    own(data, target)
    return sum(found[file].st_size for file in files if found[file].st_nlink == 1)
