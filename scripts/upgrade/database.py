#!/usr/bin/env python3
"""Ask the database of the main host. Read-only.

Usage: database.py NAME answers

Ends with 0 when it answers a query, 1 when it is not there, 77 when it lets nobody in with the credentials of the settings.
"""

import os
import stat
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from host import Ends, Refused, TimedOut, last_line, load, run, start  # noqa: E402

SYSTEM = "('mysql', 'sys', 'performance_schema', 'information_schema')"
LIMIT_S = 10
CLIENT = ("--batch", "--unbuffered", "--skip-column-names", "--default-character-set=utf8mb4", "--connect-timeout=5", "--max-allowed-packet=1G")
# Access denied, in its variants: for the account, for a database, by a missing privilege, by the way of logging in.
DENIED = ("ERROR 1044 ", "ERROR 1045 ", "ERROR 1142 ", "ERROR 1227 ", "ERROR 1698 ")


class Away(Ends):
    """The database can't be reached."""

    code, word = 77, "refused"


def wrong_file(path):
    """What is wrong with the file of credentials, with the cure; None when nothing is."""
    try:
        seen = os.stat(path)
    except OSError as error:
        return f"{path}: {error.strerror}; write it: [client], user=…, password=…, owner root, mode 0600"
    if not stat.S_ISREG(seen.st_mode) or seen.st_uid != 0:
        return f"{path} is owned by user {seen.st_uid}, allowed is root: chown root {path}"
    if stat.S_IMODE(seen.st_mode) not in (0o600, 0o400):
        return f"{path} has mode {stat.S_IMODE(seen.st_mode):04o}, allowed are 0600 and 0400: chmod 0600 {path}"
    return None


def tool(settings, key, *options):
    """Command of a client tool: its credentials come from their file, never from its command line."""
    path, wrong = settings[key], wrong_file(settings["credentials"])
    if not os.access(path, os.X_OK):
        raise Refused(f"there is no program {path} ({key}); allowed is the path of one")
    if wrong:
        raise Refused(wrong)
    return [path, f"--defaults-extra-file={settings['credentials']}", *options]


def client(settings):
    return tool(settings, "client", *CLIENT)


def judge(settings, error):
    """What a client's error means."""
    if error.startswith(DENIED):
        return Refused(
            f"the database lets nobody in with {settings['credentials']}: {error}; allowed is an account that sees all; "
            "put the right user and password into it and run again"
        )
    if error.startswith("ERROR 1205 "):
        return TimedOut(f"somebody writes for longer than the database may be held up: {error}; run again when it has ended")
    if error.startswith("ERROR 2"):
        return Away(f"the database can't be asked: {error}; start it and run again")
    return Refused(f"the database said: {error}; allowed is no error; mend it and run again")


def answers(settings):
    """None when the database answers a query, else an exception that says why not."""
    code, out, err = run([*client(settings), "--execute=SELECT 1"], LIMIT_S)
    if code == 0 and out == "1":
        return None
    return judge(settings, last_line(err)) if code is not None else Away(f"the database gave no answer within {LIMIT_S} s")


class Session:
    """One connection that stays open. It ends with this process, however that ends, and with it all that it locks."""

    def __init__(self, words, judged, cwd=None):
        self.errors = tempfile.TemporaryFile()
        self.judged = judged
        self.child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, cwd=cwd)
        self.asked = 0
        self.late = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()

    def why(self):
        if self.late:
            return TimedOut("the database gave no answer in time; run again")
        self.child.wait(LIMIT_S)
        self.errors.seek(0)
        return self.judged(last_line(self.errors.read().decode(errors="replace")))

    def give_up(self):
        self.late = True
        self.child.kill()

    def send(self, data):
        try:
            self.child.stdin.write(data)
            self.child.stdin.flush()
        except BrokenPipeError:
            raise self.why() from None

    def ask(self, query, seconds=LIMIT_S):
        """Rows of the answer, as texts."""
        self.asked += 1
        mark = f"--answered-{os.getpid()}-{self.asked}"
        self.send(f"{query};\nSELECT '{mark}';\n".encode())
        timer = threading.Timer(seconds, self.give_up)
        timer.start()
        rows = []
        try:
            for line in self.child.stdout:
                if line.decode().rstrip("\n") == mark:
                    return rows
                rows.append(line.decode(errors="replace").rstrip("\n").split("\t"))
        finally:
            timer.cancel()
        raise self.why()


def session(settings):
    return Session(client(settings), lambda error: judge(settings, error))


def text(hexadecimal):
    return bytes.fromhex(hexadecimal).decode()


def quoted(*names):
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)


def tables_of(asked):
    """[(schema, table, whether snapshots hold for it, bytes)] of all but the system's schemas and views."""
    rows = asked.ask(
        "SELECT HEX(table_schema), HEX(table_name), engine <=> 'InnoDB', IFNULL(data_length + index_length, 0) "
        f"FROM information_schema.tables WHERE table_schema NOT IN {SYSTEM} AND table_type NOT LIKE '%VIEW' ORDER BY 1, 2",
        60,
    )
    return [(text(schema), text(table), safe == "1", int(float(size))) for schema, table, safe, size in rows]


def schemas_of(asked):
    return [text(row[0]) for row in asked.ask(f"SELECT HEX(schema_name) FROM information_schema.schemata WHERE schema_name NOT IN {SYSTEM}")]


def others_of(asked):
    """How many views, routines, triggers and events there are besides, and the names of the accounts."""
    places = {"views": "table_schema", "routines": "routine_schema", "triggers": "trigger_schema", "events": "event_schema"}
    counts = {
        kind: int(asked.ask(f"SELECT COUNT(*) FROM information_schema.{kind} WHERE {place} NOT IN {SYSTEM}", 60)[0][0])
        for kind, place in places.items()
    }
    accounts = [f"{text(user)}@{text(host)}" for user, host in asked.ask("SELECT HEX(user), HEX(host) FROM mysql.user ORDER BY 1, 2")]
    return counts, accounts


def count(asked, tables, seconds):
    """{schema.table: rows} as the session sees them now."""
    return {
        f"{schema}.{table}": int(asked.ask(f"SELECT COUNT(*) FROM {quoted(schema, table)}", seconds)[0][0]) for schema, table in tables
    }


def main(name, what):
    if what != "answers":
        sys.exit(64)
    wrong = answers(load(name))
    if wrong and not isinstance(wrong, Away):
        raise wrong
    sys.exit(0 if wrong is None else 1)


if __name__ == "__main__":
    start(main, __doc__, 2, 2)
