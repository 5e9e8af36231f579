"""Folders of a Solr index in the core's data folder: the one in service, and old ones.

The data folder is of Solr's account, which may place a link anywhere in it. So all is done as that account, except the
copy itself, which may read the secret of rsync and therefore runs where it reaches nothing else (confine.py).
"""

import contextlib
import fcntl
import functools
import os
import subprocess

from confine import as_user, open_carried
from files import pairs_of

SILENT_S, HELD_S = 20, 3
# Exit codes of rsync for files that were deleted meanwhile.
VANISHED = (23, 24)
HERE = os.path.dirname(os.path.abspath(__file__))


def sync(path):
    opened = os.open(path, os.O_RDONLY)
    os.fsync(opened)
    os.close(opened)


def as_solr(method):
    """Do it with the rights of Solr's account only."""

    @functools.wraps(method)
    def done(self, *words):
        with as_user(self.user):
            return method(self, *words)

    return done


class Folder:
    """The data folder of a core. @raise Untrusted, OSError"""

    def __init__(self, data):
        opened = open_carried(data)
        found = os.fstat(opened)
        os.close(opened)
        self.data, self.user, self.group = data, found.st_uid, found.st_gid

    @as_solr
    def take_lock(self):
        """Whether this process has the lock of the index now. The lock ends with this process."""
        path = f"{self.data}/.copying"
        try:
            opened = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
        except PermissionError:
            os.unlink(path)  # root's, of an earlier release
            return False
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            os.close(opened)
            return False

    @as_solr
    def named(self):
        """The folder that Solr opens at its next start."""
        return os.path.basename((pairs_of(f"{self.data}/index.properties") or {}).get("index", "index"))

    @as_solr
    def name(self, folder):
        """From now on Solr opens `folder`, also after a power cut."""
        new = f"{self.data}/index.properties.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new)
        with open(new, "x", encoding="utf8") as file:
            file.write(f"index={folder}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, f"{self.data}/index.properties")
        sync(self.data)

    @as_solr
    def has_documents(self, folder):
        """Whether the index has more than the first, empty commit."""
        path = f"{self.data}/{folder}"
        files = os.listdir(path) if os.path.isdir(path) else []
        return any(not file.startswith(("segments", "write.lock")) for file in files)

    @as_solr
    def folders(self):
        """The names of all folders of the index."""
        names = [entry.name for entry in os.scandir(self.data) if entry.is_dir(follow_symlinks=False)]
        return [name for name in names if name == "index" or name.startswith("index.")]

    def clear(self, *keep):
        """Remove all folders of the index except `keep`, and nothing else."""
        for name in set(self.folders()) - set(keep):
            self.drop(name)

    def drop(self, folder):
        """Remove a folder, also one in which an earlier release, or a copy that was killed, left files of root."""
        subprocess.run([*self.confined(), "rm", "-rf", f"/folder/{folder}"], check=False)

    def confined(self, secret="none"):
        return ["python3", "-I", f"{HERE}/confine.py", self.data, "none", secret]

    @as_solr
    def make(self, target):
        os.makedirs(f"{self.data}/{target}", exist_ok=True)

    def pull(self, source, secret, files, target, basis, meanwhile):
        """Copy `files` of `source` into the folder `target` by rsync; a file that is the same in `basis` becomes a link.

        Calls `meanwhile` every few seconds. Returns the exit code of rsync. Files of a commit never
        change, so two files with the same size and time (to the nanosecond) are the same.
        """
        self.make(target)
        # No process of rsync outlives this one: it would write into a folder that the next run removes.
        words = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child"]
        words += [*self.confined(secret), "rsync"]
        words += ["--times", "--modify-window=-1", f"--link-dest=/folder/{basis}"]
        words += ["--owner", "--group", f"--chown={self.user}:{self.group}"]
        words += [f"--timeout={SILENT_S}", f"--contimeout={SILENT_S}", "--password-file=/file"]
        # Paths in the list begin at the module: without chroot rsync 3.5 finds no file of a list that begins below it.
        words += ["--files-from=-", "--no-relative", source, f"/folder/{target}/"]
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

    @as_solr
    def finish(self, target, files):
        """Keep only `files` in `target`, synced to the disk.

        Returns the number of copied bytes; None when a file is missing or has another size.
        """
        path = f"{self.data}/{target}"
        present = {entry.name: entry.stat() for entry in os.scandir(path)}
        for extra in present.keys() - files.keys():
            os.remove(f"{path}/{extra}")
        if any(file not in present or present[file].st_size != size for file, size in files.items()):
            return None
        for file in files:
            sync(f"{path}/{file}")
        sync(path)
        return sum(present[file].st_size for file in files if present[file].st_nlink == 1)
