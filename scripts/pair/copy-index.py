#!/usr/bin/env python3
"""Pull a Solr index from the other machine of a pair, while Solr runs on both.

Usage: copy-index.py PAIR NAME [--final]    (--final: commit there what is not yet, first)

Reads /etc/PAIR/PAIR.conf, /etc/PAIR/rsync.pass, and of /etc/PAIR/carries the lines
indexes.NAME.core, .port, .data and .rsyncPort. What was changed in the index here is
dropped. Broken off at any point, the index that was in service stays so. Refuses (77)
an index that never had a commit, where the one here had, and without --final a machine
whose PostgreSQL accepts writes.
"""

import fcntl
import os
import shutil
import sys
import time
import urllib.error

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import index_folder as folders  # noqa: E402
import solr  # noqa: E402
from facts import database  # noqa: E402
from files import pairs_of  # noqa: E402
from standing import runs  # noqa: E402

STARTED = time.monotonic()
ATTEMPTS, LOCK_S, COPY_S, RELOAD_S = 5, 60, 3600, 30


def log(text):
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def end(code, text):
    log({64: "called wrongly: ", 75: "timed out: ", 77: "refused: "}[code] + text)
    sys.exit(code)


def until(what, seconds, probe):
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            end(75, f"{what}: not so after {seconds} s")
        time.sleep(0.05)


def lock(path):
    """One copy at a time; it ends with this process."""
    opened = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)

    def taken():
        try:
            return fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB) is None
        except BlockingIOError:
            return False

    until("the copy that runs already ends", LOCK_S, taken)


class Copy:
    """Of the index `name`, from the core `there` to the core `here`."""

    def __init__(self, pair, name):
        conf, carries = pairs_of(f"/etc/{pair}/{pair}.conf"), pairs_of(f"/etc/{pair}/carries")
        try:
            keys = ("core", "port", "data", "rsyncPort")
            core, port, self.data, rsync = (carries[f"indexes.{name}.{key}"] for key in keys)
            self.self, self.peer, address = conf["SELF"], conf["PEER"], conf["PEER_ADDRESS"]
        except (KeyError, TypeError):
            end(77, f"/etc/{pair} says nothing of an index {name}; have provisioning run on this machine")
        if not os.path.isdir(self.data):
            end(77, f"{self.self} has no {self.data}; install Solr, or correct indexes.{name}.data")
        self.here, self.there = ("127.0.0.1", port, core), (address, port, core)
        self.name, self.secret, self.source = name, f"/etc/{pair}/rsync.pass", f"rsync://changeover@{address}:{rsync}/{name}"
        self.target = f"index.{time.strftime('%Y%m%d%H%M%S')}{time.time_ns() // 1000000 % 1000:03}"

    def in_service(self):
        """The last commit here and its folder; no commit when no Solr serves the index."""
        try:
            return solr.latest(*self.here)
        except urllib.error.URLError as error:
            if not isinstance(error, urllib.error.HTTPError) and not isinstance(error.reason, ConnectionRefusedError):
                raise
            log(f"Solr on {self.self} does not serve {self.name}: {error}")
            return None, folders.named(self.data)

    def held(self, generation):
        """Ask again for the list, which has Solr keep the files for some seconds more."""
        solr.filelist(*self.there, generation)
        if time.monotonic() > STARTED + COPY_S:
            end(75, f"{self.name} is not copied after {COPY_S} s")

    def pull(self, basis):
        """The commit of the other machine that is all here, and how many bytes of it were not."""
        target = f"{self.data}/{self.target}"
        for _ in range(ATTEMPTS):
            commit, folder = solr.latest(*self.there)
            files = solr.filelist(*self.there, commit[1])
            paths = [f"{folder}/{file}" for file in files]
            log(f"copying {self.name} from {self.peer}: generation {commit[1]}, {sum(files.values())} bytes")
            code = folders.pull(self.source, self.secret, paths, target, f"{self.data}/{basis}", lambda: self.held(commit[1]))
            if code == 5:
                end(77, f"{self.source} does not let {self.self} in; its module, or {self.secret}, is not as provisioning made it")
            if code not in (0, *folders.VANISHED):
                end(75, f"rsync from {self.source} ended with {code}; the index in service stays")
            copied = folders.finish(self.data, target, files) if files and code == 0 else None
            if copied is not None:
                return commit, copied
        return end(75, f"{self.peer} commits faster than {self.name} can be copied")

    def reload(self, commit, before, final):
        """Have Solr here serve the copy; one that it does not open is taken back."""
        log(f"having Solr on {self.self} open {self.target}")
        try:
            solr.ask(*self.here[:2], "admin/cores", RELOAD_S, action="RELOAD", core=self.here[2])
        except urllib.error.HTTPError as error:
            folders.name(self.data, before)
            end(77, f"Solr on {self.self} does not open the copy, {before} stays in service; see its log: {error}")
        until(f"Solr on {self.self} serves {commit}", RELOAD_S, lambda: self.arrived(commit))
        documents, there = solr.searched(*self.here)[1], solr.searched(*self.there)
        if final and there != (commit[0], documents):
            end(75, f"{self.name} on {self.peer} went on from {commit}, {documents} documents, to {there}")
        return documents

    def arrived(self, commit):
        return solr.indexversion(*self.here) == commit and solr.searched(*self.here)[0] == commit[0]

    def unchanged(self):
        """Whether the same commit here is all there is: no change waits for one, and none is served without."""
        return not solr.pending(*self.here) and solr.searched(*self.here) == solr.searched(*self.there)

    def said(self, what, commit, documents, copied):
        return f"{self.name} {what}: version {commit[0]}, generation {commit[1]}, {documents} documents, {copied} bytes copied"

    def run(self, final):
        if final:
            log(f"committing {self.name} on {self.peer}")
            solr.ask(*self.there[:2], f"{self.there[2]}/update", RELOAD_S, commit="true")
        commit, folder = self.in_service()
        folders.clear(self.data, folder, folders.named(self.data))
        wanted = solr.indexversion(*self.there)
        if commit == wanted and folder == folders.named(self.data) and self.unchanged():
            return self.said("is here already", commit, solr.searched(*self.here)[1], 0)
        if wanted[0] == 0 and (commit[0] if commit else folders.has_documents(self.data, folder)):
            end(77, f"{self.name} on {self.peer} never had a commit; if this one shall go too, stop Solr and empty {self.data}")
        try:
            wanted, copied = self.pull(folder)
            folders.name(self.data, self.target)
            if commit is None:
                return self.said("is here, for the next start of Solr", wanted, "unknown", copied)
            documents = self.reload(wanted, folder, final)
        finally:
            if folders.named(self.data) != self.target:
                shutil.rmtree(f"{self.data}/{self.target}", ignore_errors=True)
        folders.clear(self.data, self.target)
        return self.said("is here", wanted, documents, copied)


def main():
    words = [word for word in sys.argv[1:] if word != "--final"]
    if len(words) != 2 or words[0].startswith("-"):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    copy, final = Copy(*words), "--final" in sys.argv
    server = f"/var/lib/postgresql/15/{words[0]}"
    if not final and database(words[0], pairs_of(f"/etc/{words[0]}/{words[0]}.conf"), runs(server))["in_recovery"] is False:
        end(77, f"PostgreSQL on {copy.self} accepts writes: this machine is production, its index is not replaced")
    lock(f"{copy.data}/.copying")
    try:
        said = copy.run(final)
    except solr.FAULTS as error:
        end(75, f"{copy.name} of {copy.peer}, or here, gives no answer: {error!r}")
    print(f"{words[0]} {said} {time.monotonic() - STARTED:.2f}")


main()
