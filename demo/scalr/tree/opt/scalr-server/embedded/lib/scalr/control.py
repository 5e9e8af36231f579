"""Configure this host as /etc/scalr-server/scalr-server.conf has it.

Usage: scalr-server-ctl reconfigure | show-version

reconfigure writes the configuration of the host's role, and starts its services. On the main database host it makes
the database when there is none, and brings its schema up to this package's; on any other host it wants that done.
It can be run again at any time. Ends with 1, and one line that says why, when it can't.
"""

import fcntl
import json
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import time

import pymysql

from scalr import database, render, settings
from scalr.settings import BIN, DATA, ETC, SOCKET, SUPERVISOR, VAR, Wrong

ADMIN = "scalr_admin"
INIT = "/etc/init.d/scalr"
DATABASE = "scalr-mysql"
DONE = f"{VAR}/reconfigured.json"
PATIENCE = 60


def say(text):
    print(f"scalr-server-ctl: {text}", flush=True)


def command(*words, said="", check=True):
    done = subprocess.run(
        words, input=said, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf8", check=False
    )
    if check and done.returncode != 0:
        raise Wrong(f"{' '.join(words[:3])} ended with {done.returncode}: {done.stdout.strip()[-400:]}")
    return done


def supervisor(*words, check=True):
    return command("supervisorctl", "-c", SUPERVISOR, *words, check=check)


def states():
    """{service: what the supervisor says of it}"""
    lines = supervisor("status", check=False).stdout.splitlines()
    return {words[0]: words[1] for words in map(str.split, lines) if len(words) > 1 and words[1].isupper()}


def those(*wanted):
    """The services in these states, but for the database."""
    return [name for name, state in states().items() if state in wanted and name != DATABASE]


def wait(what, test):
    deadline = time.monotonic() + PATIENCE
    while not test():
        if time.monotonic() > deadline:
            raise Wrong(f"{what}: not within {PATIENCE} s")
        time.sleep(0.3)


def supervise(names):
    """The supervisor runs, and has these programs; those that are new or changed are started."""
    settings.write(SUPERVISOR, render.supervisor(names))
    if command(INIT, "status", check=False).returncode != 0:
        say("starting the supervisor")
        command(INIT, "start")
    supervisor("update")


def make_database(user):
    if os.path.isdir(f"{DATA}/mysql"):
        return
    if os.path.isdir(DATA) and os.listdir(DATA):
        raise Wrong(f"{DATA} has files and no database: nothing is made over it")
    say(f"making a database in {DATA}")
    new = f"{DATA}.new"
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(new, 0o700)
    os.chown(new, user.pw_uid, user.pw_gid)
    command(
        f"{BIN}/mysql_install_db",
        "--no-defaults",
        "--user=scalr",
        f"--datadir={new}",
        "--auth-root-authentication-method=socket",
        "--skip-test-db",
        # The name of the host need not be known to anybody.
        "--skip-name-resolve",
        "--force",
    )
    if os.path.isdir(DATA):
        os.rmdir(DATA)
    os.rename(new, DATA)


def as_root(statements):
    """Through the socket, where the machine's root is the database's."""
    return command(f"{BIN}/mysql", "--no-defaults", f"--socket={SOCKET}", "--user=root", said=statements, check=False)


def make_users(told):
    """The administrator of backups, with a password that stays as it is, and what the services log in as."""
    try:
        password = settings.pairs(settings.BACKUP)["password"]
    except (OSError, KeyError):
        password = secrets.token_hex(16)
    text = f"[client]\nuser={ADMIN}\npassword={password}\nsocket={SOCKET}\n"
    settings.write(settings.BACKUP, text, 0o600)
    os.chmod(settings.BACKUP, 0o600)
    secret = told["secret"].replace("\\", "\\\\").replace("'", "\\'")
    done = as_root(
        "SET sql_log_bin = 0; CREATE DATABASE IF NOT EXISTS scalr CHARACTER SET utf8mb4;"
        "DROP USER IF EXISTS scalr@localhost;"
        f"CREATE USER IF NOT EXISTS {ADMIN}@localhost; ALTER USER {ADMIN}@localhost IDENTIFIED BY '{password}';"
        f"GRANT ALL ON *.* TO {ADMIN}@localhost WITH GRANT OPTION;"
        f"CREATE USER IF NOT EXISTS scalr@'%'; ALTER USER scalr@'%' IDENTIFIED BY '{secret}';"
        "GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON scalr.* TO scalr@'%';"
    )
    if done.returncode != 0:
        raise Wrong(f"the users of the database could not be made: {done.stdout.strip()}")
    return pymysql.connect(
        unix_socket=SOCKET, user=ADMIN, password=password, cursorclass=database.DictCursor, autocommit=True
    )


def configure_main(told, user):
    """The database runs and has this package's schema; nobody of this host works while it changes."""
    make_database(user)
    if DATABASE not in states():
        supervise([DATABASE])
    supervisor("start", DATABASE, check=False)
    why = f"the database does not answer ({VAR}/log/{DATABASE}.log says why)"
    wait(why, lambda: as_root("SELECT 1").returncode == 0)
    connection = make_users(told)
    say(f"schema: at {database.migrate(connection, say)}")
    connection.close()


def require_main(told):
    try:
        connection = database.connect(told)
    except pymysql.MySQLError as error:
        code, text = error.args
        raise Wrong(f"the database host {told['main']} does not answer: {text} ({code})") from None
    try:
        database.require_schema(connection)
    except pymysql.MySQLError as error:
        raise Wrong(f"the database of {told['main']} has no schema of Scalr: {error.args[1]}") from None
    finally:
        connection.close()


def settle(names):
    """All of them run, or it is said which do not."""
    deadline = time.monotonic() + PATIENCE
    while True:
        now = states()
        bad = [f"{name} {now.get(name, 'unknown')}" for name in names if now.get(name) != "RUNNING"]
        if not bad:
            return
        if time.monotonic() > deadline or any(text.endswith(" FATAL") for text in bad):
            raise Wrong(f"not running: {', '.join(bad)}; see {VAR}/log")
        time.sleep(0.3)


def last_done():
    try:
        with open(DONE, encoding="utf8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def reconfigure():
    told, version = settings.read(), settings.version()
    names, user = settings.roles()[told["role"]], pwd.getpwnam("scalr")
    say(f"{version}, role {told['role']}")
    again = {"version": version, "complete": True}
    anew = last_done() != again
    for path in (f"{VAR}/lib/nginx", f"{VAR}/lib/plots"):
        os.makedirs(path, exist_ok=True)
        os.chown(path, user.pw_uid, user.pw_gid)
    if DATABASE not in names:
        require_main(told)
    changed = [
        path
        for path, (text, mode, group) in render.files(told, version, user.pw_gid).items()
        if settings.write(path, text, mode, group)
    ]
    anew = anew or bool(changed)
    # What ran half-way is done anew by the next one.
    settings.write(DONE, json.dumps({**again, "complete": not anew}))
    if anew and (running := those("RUNNING", "STARTING", "BACKOFF")):
        say(f"stopping {', '.join(running)}")
        supervisor("stop", *running, check=False)
    if DATABASE in names:
        if f"{ETC}/my.cnf" in changed and DATABASE in states():
            supervisor("stop", DATABASE, check=False)
        configure_main(told, user)
    supervise(names)
    if idle := those("STOPPED", "EXITED", "FATAL", "BACKOFF", "UNKNOWN"):
        say(f"starting {', '.join(idle)}")
        supervisor("start", "all", check=False)
    settle(names)
    if os.path.isdir("/run/systemd/system"):
        command("systemctl", "--quiet", "enable", "scalr")
    settings.write(DONE, json.dumps(again))
    say(f"reconfigured, {len(names)} services run")


def main(words):
    if words == ["show-version"]:
        print(settings.version())
    elif words == ["reconfigure"]:
        with open("/run/scalr-reconfigure.lock", "w", encoding="utf8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Wrong("another reconfigure is under way") from None
            reconfigure()
    else:
        print(__doc__.strip(), file=sys.stdout if words == ["--help"] else sys.stderr)
        return 0 if words == ["--help"] else 64
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Wrong as wrong:
        print(f"scalr-server-ctl: reconfigure failed: {wrong}", file=sys.stderr, flush=True)
        sys.exit(1)
