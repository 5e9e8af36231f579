"""A database server of its own, empty, without a network, that ends with whoever made it."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import time

from database import CLIENT, Session
from disk import free_bytes
from host import Refused, TimedOut, last_line, log, run

READY_S = 90
MADE_S = 120
# Seen by the server alone, in a mount namespace of its own: its user may not enter the folder of the backups.
INSIDE = "/mnt"
SERVER = (
    *(f"--datadir={INSIDE}", f"--tmpdir={INSIDE}/tmp", f"--socket={INSIDE}/socket", f"--pid-file={INSIDE}/pid", "--skip-networking"),
    *("--innodb-flush-log-at-trx-commit=0", "--skip-innodb-doublewrite", "--skip-log-bin", "--max-allowed-packet=1G"),
)


def server_of(settings):
    """The server's program: named in the settings, or beside the client, or the system's."""
    beside = [f"{os.path.dirname(settings[key])}/{name}" for key in ("client", "dump") for name in ("mariadbd", "mysqld")]
    named = [settings["server"]] if settings.get("server") else [*beside, *map(shutil.which, ("mariadbd", "mysqld"))]
    for path in [*named, "/usr/sbin/mariadbd", "/usr/sbin/mysqld", "/usr/libexec/mysqld"]:
        if path and os.access(path, os.X_OK):
            return path
    raise Refused(f"there is no server program to restore a backup with (server={settings.get('server', '')}); name one, or install it")


def making(server):
    """Command that fills an empty folder with a server's own tables."""
    said = run([server, "--version"], 10)[1]
    number = re.search(r"(\d+)\.(\d+)\.\d+", said)
    if "MariaDB" not in said and number and (int(number[1]), int(number[2])) >= (5, 7):
        return [server, "--no-defaults", "--initialize-insecure", f"--datadir={INSIDE}"]
    folder = os.path.dirname(os.path.realpath(server))
    places = [f"{folder}/mariadb-install-db", f"{folder}/mysql_install_db", *map(shutil.which, ("mariadb-install-db", "mysql_install_db"))]
    words = ["--no-defaults", "--force", f"--datadir={INSIDE}"]
    if "MariaDB" in said:
        words += ["--auth-root-authentication-method=normal", "--skip-test-db"]
    for path in places:
        if path and os.access(path, os.X_OK):
            return [path, *words]
    old = f"{folder}/../scripts/mysql_install_db"
    if os.access(old, os.X_OK):
        return [old, *words, f"--basedir={os.path.realpath(folder + '/..')}"]
    raise Refused(f"there is no mysql_install_db beside {server}, nor on the PATH; install it")


class Scratch:
    """`with Scratch(settings, record) as session`: asked as its administrator."""

    def __init__(self, settings, record):
        self.folder = f"{settings['backup_folder']}/.trial-{settings['name']}"
        self.server = server_of(settings)
        self.words = [settings["client"], "--no-defaults", *CLIENT, "--user=root", "--socket=data/socket"]
        self.same = [f"--{key.replace('_', '-')}={value}" for key, value in record["server"].items() if key != "version"]
        self.needs = max(record["data_bytes"], record["unpacked_bytes"]) * 3 // 2 + (256 << 20)
        self.child = self.session = None

    def apart(self, words):
        """The command as `nobody` in namespaces of its own, killed when this process ends."""
        user = pwd.getpwnam("nobody")
        # Who changes its user is told no more of its parent's end: the shell stays, and takes its namespace with it.
        become = f"setpriv --reuid {user.pw_uid} --regid {user.pw_gid} --clear-groups --no-new-privs"
        enter = f'mount --bind "$1" {INSIDE} && shift && cd {INSIDE} && {become} "$@"; exit $?'
        unshared = ["unshare", "--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child"]
        return ["setpriv", "--pdeathsig", "KILL", *unshared, "sh", "-c", enter, "sh", f"{self.folder}/data", *words]

    def require_room(self):
        free = free_bytes(self.folder)
        if free < self.needs:
            raise Refused(
                f"{os.path.dirname(self.folder)} has {free >> 20} MiB free, a restore on trial takes up to {self.needs >> 20}; "
                "make room, or name another backup_folder, and run again"
            )

    def make(self):
        user = pwd.getpwnam("nobody")
        for folder in (self.folder, f"{self.folder}/data", f"{self.folder}/data/tmp"):
            os.mkdir(folder, 0o700)
        for folder in (f"{self.folder}/data", f"{self.folder}/data/tmp"):
            os.chown(folder, user.pw_uid, user.pw_gid)
        code, out, err = run(self.apart(making(self.server)), MADE_S)
        if code != 0:
            raise Refused(f"an empty server can't be made with {self.server} ({code}): {last_line(err or out)}; mend it and run again")

    def serve(self):
        with open(f"{self.folder}/log", "wb") as told:
            words = self.apart([self.server, "--no-defaults", *SERVER, *self.same])
            self.child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=told, stderr=told, start_new_session=True)
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline and self.child.poll() is None:
            if os.path.exists(f"{self.folder}/data/socket"):
                return
            time.sleep(0.05)
        with open(f"{self.folder}/log", encoding="utf8", errors="replace") as told:
            said = last_line(told.read().strip())
        raise TimedOut(f"the server for the trial is not ready after {READY_S} s; it said last: {said}")

    def remove(self):
        if self.session:
            self.session.__exit__()
        if self.child and self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        if os.path.exists(self.folder):
            log(f"removing {self.folder}, which a trial that broke off has left")
            self.remove()
        self.require_room()
        try:
            self.make()
            self.serve()
            self.session = Session(self.words, lambda error: Refused(f"the server for the trial does not take the dump: {error}"), self.folder)
            return self.session
        except BaseException:
            self.remove()
            raise

    def __exit__(self, *_):
        self.remove()
