"""The copy of one Solr index from the peer of a pair."""

import os
import re
import sys
import time
import urllib.error

import solr
from files import pairs_of
from handles import Untrusted
from index_folder import VANISHED, Folder

STARTED = time.monotonic()
ATTEMPTS, LOCK_S, COPY_S, RELOAD_S = 5, 60, 3600, 30
# What Solr on the other machine calls a folder and a file of an index: it becomes part of a path here.
A_NAME = re.compile(r"(?!\.)[\w.-]{1,200}\Z", re.ASCII)


def log(text):
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def end(code, text):
    """End with an exit code of scripts/lib.sh and its message."""
    log({64: "called wrongly: ", 75: "timed out: ", 77: "refused: "}[code] + text)
    sys.exit(code)


def until(what, seconds, probe):
    """Repeat `probe` until it is true; past the deadline end with 75."""
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            end(75, f"{what}: not so after {seconds} s")
        time.sleep(0.05)


class Copy:
    """Copies the index `name` from the peer's core `there` to this machine's core `here`."""

    def __init__(self, pair, name):
        conf, carries = pairs_of(f"/etc/{pair}/{pair}.conf"), pairs_of(f"/etc/{pair}/carries")
        try:
            keys = ("core", "port", "data", "rsyncPort")
            core, port, self.data, rsync = (carries[f"indexes.{name}.{key}"] for key in keys)
            self.self, self.peer, address = conf["SELF"], conf["PEER"], conf["PEER_ADDRESS"]
        except (KeyError, TypeError):
            end(77, f"/etc/{pair}/carries has no index {name}; run provisioning on this machine")
        if not os.path.isdir(self.data):
            end(77, f"{self.self} has no folder {self.data}; install Solr, or correct indexes.{name}.data")
        try:
            self.folder = Folder(self.data)
        except Untrusted as error:
            end(77, f"{error}; {self.data} on {self.self} must be Solr's own")
        self.here, self.there = ("127.0.0.1", port, core), (address, port, core)
        self.name, self.secret, self.source = name, f"/etc/{pair}/rsync.pass", f"rsync://changeover@{address}:{rsync}/{name}"
        self.target = f"index.{time.strftime('%Y%m%d%H%M%S')}{time.time_ns() // 1000000 % 1000:03}"

    def lock(self):
        """One copy of an index at a time."""
        until("the copy that already runs ends", LOCK_S, self.folder.take_lock)

    def in_service(self):
        """The last commit on this machine and its folder; None and the folder when no Solr serves the index."""
        try:
            return solr.latest(*self.here)
        except urllib.error.URLError as error:
            if not isinstance(error, urllib.error.HTTPError) and not isinstance(error.reason, ConnectionRefusedError):
                raise
            log(f"Solr on {self.self} does not serve {self.name}: {error}")
            return None, self.folder.named()

    def hold(self, generation):
        """Request the list again: Solr keeps listed files for some more seconds."""
        solr.filelist(*self.there, generation)
        if time.monotonic() > STARTED + COPY_S:
            end(75, f"the copy of {self.name} was not done after {COPY_S} s")

    def pull(self, basis):
        """Copy the peer's last commit. Returns the commit and the number of copied bytes."""
        for _ in range(ATTEMPTS):
            commit, folder = solr.latest(*self.there)
            files = solr.filelist(*self.there, commit[1])
            if not all(A_NAME.match(name) for name in (folder, *files)) or not all(type(size) is int for size in files.values()):
                end(77, f"Solr on {self.peer} names files of {self.name} that are none of an index: {[folder, *files]!r:.200}")
            paths = [f"{folder}/{file}" for file in files]
            log(f"copying {self.name} from {self.peer}: generation {commit[1]}, {sum(files.values())} bytes")
            code = self.folder.pull(self.source, self.secret, paths, self.target, basis, lambda: self.hold(commit[1]))
            if code == 5:
                end(77, f"{self.source} rejects {self.self}: its module or {self.secret} was changed; run provisioning again")
            if code not in (0, *VANISHED):
                end(75, f"rsync from {self.source} ended with {code}; the index in service stays")
            copied = self.folder.finish(self.target, files) if files and code == 0 else None
            if copied is not None:
                return commit, copied
        return end(75, f"{self.peer} deleted the commit during each of {ATTEMPTS} copies of {self.name}: it commits faster than the copy")

    def reload(self, commit, before, final):
        """Make this machine's Solr serve the copy. If Solr does not open it, the index before stays."""
        log(f"Solr on {self.self} opens {self.target}")
        try:
            solr.ask(*self.here[:2], "admin/cores", RELOAD_S, action="RELOAD", core=self.here[2])
        except urllib.error.HTTPError as error:
            self.folder.name(before)
            end(77, f"Solr on {self.self} does not open the copy; {before} stays in service; see the log of Solr: {error}")
        until(f"Solr on {self.self} serves {commit}", RELOAD_S, lambda: self.arrived(commit))
        documents, there = solr.searched(*self.here)[1], solr.searched(*self.there)
        if final and there != (commit[0], documents):
            end(75, f"{self.name} on {self.peer} changed during the last copy, from {commit}, {documents} documents, to {there}")
        return documents

    def arrived(self, commit):
        return solr.indexversion(*self.here) == commit and solr.searched(*self.here)[0] == commit[0]

    def unchanged(self):
        """Whether this machine serves the same commit as the peer, and has no uncommitted change."""
        return not solr.pending(*self.here) and solr.searched(*self.here) == solr.searched(*self.there)

    def outcome(self, what, commit, documents, copied):
        return f"{self.name} {what}: version {commit[0]}, generation {commit[1]}, {documents} documents, {copied} bytes copied"

    def run(self, final):
        """Copy the index, and return the outcome in words. @param final commit the peer's changes first."""
        if final:
            log(f"committing {self.name} on {self.peer}")
            solr.ask(*self.there[:2], f"{self.there[2]}/update", RELOAD_S, commit="true")
        commit, folder = self.in_service()
        self.folder.clear(folder, self.folder.named())
        wanted = solr.indexversion(*self.there)
        if commit == wanted and folder == self.folder.named() and self.unchanged():
            return self.outcome("is already the same", commit, solr.searched(*self.here)[1], 0)
        if wanted[0] == 0 and (commit[0] if commit else self.folder.has_documents(folder)):
            end(77, f"{self.name} on {self.peer} never had a commit, and would replace an index that had one; to do so, stop Solr on {self.self} and empty {self.data}")
        try:
            wanted, copied = self.pull(folder)
            self.folder.name(self.target)
            if commit is None:
                return self.outcome("is copied for the next start of Solr", wanted, "unknown", copied)
            documents = self.reload(wanted, folder, final)
        finally:
            if self.folder.named() != self.target:
                self.folder.drop(self.target)
        self.folder.clear(self.target)
        return self.outcome("is copied", wanted, documents, copied)
