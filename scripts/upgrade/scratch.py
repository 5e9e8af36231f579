"""A scratch database server: empty, without a network. It ends with the process that started it."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import time

from database import CLIENT
from disk import free_bytes
from host import Refused, TimedOut, last_line, log, run
from session import Session

READY_S = 90
MADE_S = 120
# Only the server sees this path, in its own mount namespace: its user may not enter the backup folder.
INSIDE = "/mnt"
SERVER = (
    *(f"--datadir={INSIDE}", f"--tmpdir={INSIDE}/tmp", f"--socket={INSIDE}/socket", f"--pid-file={INSIDE}/pid", "--skip-networking"),
    *("--innodb-flush-log-at-trx-commit=0", "--skip-innodb-doublewrite", "--skip-log-bin", "--max-allowed-packet=1G"),
)


def server_of(settings):
    """The server's program: from the settings, or next to the client, or the system's."""
    beside = [f"{os.path.dirname(settings[key])}/{name}" for key in ("client", "dump") for name in ("mariadbd", "mysqld")]
    named = [settings["server"]] if settings.get("server") else [*beside, *map(shutil.which, ("mariadbd", "mysqld"))]
    for path in [*named, "/usr/sbin/mariadbd", "/usr/sbin/mysqld", "/usr/libexec/mysqld"]:
        if path and os.access(path, os.X_OK):
            return path
    raise Refused(f"the scratch server needs mariadbd or mysqld, and the host has neither (server={settings.get('server', '')}); set server, or install one")


def setup_command(server):
    """The command that writes a server's own tables into an empty folder."""
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
    raise Refused(f"mysql_install_db is neither next to {server} nor on the PATH; install it")


class Scratch:
    """`with Scratch(settings, record) as session`: a session of its administrator."""

    def __init__(self, settings, record):
        self.folder = f"{settings['backup_folder']}/.trial-{settings['name']}"
        self.server = server_of(settings)
        self.words = [settings["client"], "--no-defaults", *CLIENT, "--user=root", "--socket=data/socket"]
        self.same = [f"--{key.replace('_', '-')}={value}" for key, value in record["server"].items() if key != "version"]
        self.needs = max(record["data_bytes"], record["unpacked_bytes"]) * 3 // 2 + (256 << 20)
        self.child = self.session = None

    def isolated(self, words):
        """The command as `nobody` in its own namespaces, killed when this process ends."""
        user = pwd.getpwnam("nobody")
        # A process that changes its user gets no signal at its parent's end. So the shell stays, and its end ends the namespace.
        become = f"setpriv --reuid {user.pw_uid} --regid {user.pw_gid} --clear-groups --no-new-privs"
        enter = f'mount --bind "$1" {INSIDE} && shift && cd {INSIDE} && {become} "$@"; exit $?'
        unshared = ["unshare", "--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child"]
        return ["setpriv", "--pdeathsig", "KILL", *unshared, "sh", "-c", enter, "sh", f"{self.folder}/data", *words]

    def require_room(self):
        free = free_bytes(self.folder)
        if free < self.needs:
            raise Refused(
                f"{os.path.dirname(self.folder)} has {free >> 20} MiB free (needed for a trial restore: {self.needs >> 20} MiB); "
                "make room, or set another backup.folder, and run again"
            )

    def make(self):
        user = pwd.getpwnam("nobody")
        for folder in (self.folder, f"{self.folder}/data", f"{self.folder}/data/tmp"):
            os.mkdir(folder, 0o700)
        for folder in (f"{self.folder}/data", f"{self.folder}/data/tmp"):
            os.chown(folder, user.pw_uid, user.pw_gid)
        code, out, err = run(self.isolated(setup_command(self.server)), MADE_S)
        if code != 0:
            raise Refused(f"{self.server} can't set up an empty scratch server (exit code {code}): {last_line(err or out)}; fix the cause and run again")

    def serve(self):
        with open(f"{self.folder}/log", "wb") as output:
            words = self.isolated([self.server, "--no-defaults", *SERVER, *self.same])
            self.child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline and self.child.poll() is None:
            if os.path.exists(f"{self.folder}/data/socket"):
                return
            time.sleep(0.05)
        with open(f"{self.folder}/log", encoding="utf8", errors="replace") as output:
            said = last_line(output.read().strip())
        raise TimedOut(f"the scratch server is not ready after {READY_S} s; last output: {said}")

    def remove(self):
        if self.session:
            self.session.__exit__()
        if self.child and self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        if os.path.exists(self.folder):
            log(f"removing {self.folder}, a leftover of an interrupted trial restore")
            self.remove()
        self.require_room()
        try:
            self.make()
            self.serve()
            self.session = Session(self.words, lambda error: Refused(f"the scratch server rejects the dump: {error}"), self.folder)
            return self.session
        except BaseException:
            self.remove()
            raise

    def __exit__(self, *_):
        self.remove()
