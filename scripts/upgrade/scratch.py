"""A scratch database server, on the stage of production: empty, without a network. It ends with the process that started it."""

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import time

import backups
from canonical import VISITOR
from database import CLIENT, require_program, tool
from disk import free_bytes
from host import Refused, TimedOut, last_line, log, run
from session import Session
from stage import OWN, SETTINGS, take_over, version_of

READY_S = 90
MADE_S = 120
# Only the server sees this path, in its own mount namespace: its user may not enter the backup folder.
INSIDE = "/mnt"
DATA = f"{INSIDE}/data"
SERVER = (
    *(f"--datadir={DATA}", f"--tmpdir={INSIDE}/tmp", f"--socket={INSIDE}/socket", f"--pid-file={INSIDE}/pid", "--skip-networking"),
    *("--innodb-flush-log-at-trx-commit=0", "--skip-innodb-doublewrite", "--skip-log-bin", "--skip-symbolic-links", "--event-scheduler=OFF"),
)
# Users that no account has: systemd takes dynamic ones from here.
SPARE = range(61184, 65520)


def spare_user():
    """A user without an account or a process: what it makes, nobody else reads."""
    taken = {account.pw_uid for account in pwd.getpwall()}
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            taken.add(os.stat(f"/proc/{process}").st_uid)
    return next(user for user in reversed(SPARE) if user not in taken)


def running(place):
    """The program of the running server, from its pid file; None if this process does not see it."""
    try:
        with open(place, encoding="ascii") as file:
            path = os.readlink(f"/proc/{int(file.read(20))}/exe")
    except (OSError, ValueError):
        return None
    return path if os.path.basename(path) in ("mariadbd", "mysqld") else None


def server_of(settings, asked):
    """The server's program: from the settings, or the one that runs, or next to the client, or the system's."""
    beside = [f"{os.path.dirname(settings[key])}/{name}" for key in ("client", "dump") for name in ("mariadbd", "mysqld")]
    found = [running(asked.ask("SELECT @@pid_file")[0][0]), *beside, *map(shutil.which, ("mariadbd", "mysqld"))]
    named = [settings["server"]] if settings.get("server") else found
    for path in [*named, "/usr/sbin/mariadbd", "/usr/sbin/mysqld", "/usr/libexec/mysqld"]:
        if path and os.access(path, os.X_OK):
            return require_program(path, "server")
    raise Refused(f"the scratch server needs mariadbd or mysqld, and the host has neither (server={settings.get('server', '')}); set server, or install one")


def setup_command(server):
    """The command that writes a server's own tables into an empty folder."""
    said = run([server, "--version"], 10)[1]
    number = re.search(r"(\d+)\.(\d+)\.\d+", said)
    if "MariaDB" not in said and number and (int(number[1]), int(number[2])) >= (5, 7):
        return [server, "--no-defaults", "--initialize-insecure", f"--datadir={DATA}"]
    folder = os.path.dirname(os.path.realpath(server))
    places = [f"{folder}/mariadb-install-db", f"{folder}/mysql_install_db", *map(shutil.which, ("mariadb-install-db", "mysql_install_db"))]
    words = ["--no-defaults", "--force", f"--datadir={DATA}"]
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
    """`with Scratch(settings, record, stage, asked) as scratch`: a server like the one that `asked` asks."""

    def __init__(self, settings, record, stage, asked):
        self.settings, self.stage = settings, stage
        self.folder = f"{backups.place(settings)}/.trial-{settings['name']}"
        self.server = server_of(settings, asked)
        self.plugins = asked.ask("SELECT @@plugin_dir")[0][0]
        self.user = spare_user()
        self.needs = max(record["data_bytes"], record["unpacked_bytes"]) * 3 // 2 + (256 << 20)
        self.child, self.sessions = None, []

    def options(self):
        """What production allows, and what its plugins know."""
        same = [f"--{key.replace('_', '-')}={self.stage[key]}" for key in SETTINGS if self.stage.get(key)]
        more = [f"--plugin-load-add={name}={library}" for name, library in self.stage["plugins"].items()]
        return [*same, f"--plugin-dir={self.plugins}", *(["--loose-plugin-maturity=unknown", *more] if more else [])]

    def isolated(self, words):
        """The command as a user of its own in its own namespaces, killed when this process ends."""
        # A process that changes its user gets no signal at its parent's end. So the shell stays, and its end ends the namespace.
        become = f"setpriv --reuid {self.user} --regid {self.user} --clear-groups --no-new-privs"
        enter = f'mount --bind "$1" {INSIDE} && shift && cd {INSIDE} && {become} "$@"; exit $?'
        unshared = ["unshare", "--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child"]
        return ["setpriv", "--pdeathsig", "KILL", *unshared, "sh", "-c", enter, "sh", f"{self.folder}/inside", *words]

    def require_room(self):
        free = free_bytes(self.folder)
        if free < self.needs:
            raise Refused(
                f"{os.path.dirname(self.folder)} has {free >> 20} MiB free (needed for a trial restore: {self.needs >> 20} MiB); "
                "make room, or set another backup.folder, and run again"
            )

    def make(self):
        os.mkdir(self.folder, 0o700)
        inside = f"{self.folder}/inside"
        for folder in (inside, f"{inside}/tmp", f"{inside}/data"):
            os.mkdir(folder, 0o700)
        for folder in (f"{inside}/tmp", f"{inside}/data", inside):
            os.chown(folder, self.user, self.user)
        same = [f"--{key.replace('_', '-')}={self.stage[key]}" for key in ("innodb_page_size", "lower_case_table_names") if self.stage.get(key)]
        code, out, err = run(self.isolated([*setup_command(self.server), *same]), MADE_S)
        if code != 0:
            raise Refused(f"{self.server} can't set up an empty scratch server (exit code {code}): {last_line(err or out)}; fix the cause and run again")

    def serve(self):
        with open(f"{self.folder}/log", "wb") as output:
            words = self.isolated([self.server, "--no-defaults", *SERVER, *self.options()])
            self.child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline and self.child.poll() is None:
            if os.path.exists(f"{self.folder}/inside/socket"):
                return
            time.sleep(0.05)
        with open(f"{self.folder}/log", encoding="utf8", errors="replace") as output:
            said = last_line(output.read().strip())
        raise TimedOut(f"the scratch server is not ready after {READY_S} s; last output: {said}")

    def session(self, user):
        words = [self.settings["client"], "--no-defaults", *CLIENT, f"--user={user}", "--socket=inside/socket"]
        opened = Session(words, lambda error: Refused(f"the scratch server rejects the dump: {error}"), self.folder)
        self.sessions.append(opened)
        # What listens there is the scratch server, and no other one.
        seen = opened.ask("SELECT @@datadir")
        if seen != [[f"{DATA}/"]]:
            raise Refused(f"{self.folder}/inside/socket is not the scratch server's: its folder is {seen} (allowed: {DATA}/)")
        take_over(opened, OWN)
        return opened

    def like_production(self):
        """The same version, and an account that may do what the account of the settings may do."""
        root = self.root
        found = root.ask("SELECT @@version")[0][0]
        if version_of(found) != version_of(self.stage["version"]):
            raise Refused(f"{self.server} is {found}, and the database runs {self.stage['version']} (allowed: the same); set server to the program that runs")
        root.ask(f"CREATE USER '{VISITOR}'@localhost")
        for grant in self.stage["grants"]:
            rights, option, _ = grant.partition(" WITH GRANT OPTION")
            root.ask(f"GRANT {rights} ON *.* TO '{VISITOR}'@localhost{option}")

    def reading(self):
        """A session with the rights that production's has."""
        return self.session(VISITOR)

    def dumping(self, options):
        """The command that dumps it. The dump that was read has replaced its accounts."""
        self.root.ask(f"CREATE USER '{VISITOR}'@localhost")
        self.root.ask(f"GRANT ALL ON *.* TO '{VISITOR}'@localhost WITH GRANT OPTION")
        here = ("--protocol=socket", f"--socket={self.folder}/inside/socket", f"--user={VISITOR}", "--password=", "--loose-skip-ssl")
        return tool(self.settings, "dump", *here, *options)

    def remove(self):
        for opened in self.sessions:
            opened.__exit__()
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
            self.root = self.session("root")
            self.like_production()
            return self
        except BaseException:
            self.remove()
            raise

    def __exit__(self, *_):
        self.remove()
