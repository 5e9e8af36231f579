#!/usr/bin/env python3
"""Query the main database. Read-only.

Usage: database.py NAME answers

Ends with 0 if it answers a query, 1 if it can't be reached, 77 if it rejects the login of the settings.
"""

import os
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True

from handles import Untrusted, require_own  # noqa: E402
from host import Ends, Refused, TimedOut, last_line, load, run, start  # noqa: E402

LIMIT_S = 10
# Options that a file of the host must not change: errors end it, a lost connection stays lost, text goes through as it is.
CLIENT = (
    *("--batch", "--unbuffered", "--skip-column-names", "--default-character-set=utf8mb4", "--connect-timeout=5", "--max-allowed-packet=1G"),
    *("--skip-force", "--skip-reconnect", "--skip-safe-updates", "--comments", "--binary-mode", "--init-command=DO 0", "--delimiter=;"),
    *("--skip-table", "--skip-html", "--skip-xml", "--skip-vertical", "--skip-auto-vertical-output"),
)
# Variants of "access denied": account, database, missing privilege, login method.
DENIED = ("ERROR 1044 ", "ERROR 1045 ", "ERROR 1142 ", "ERROR 1227 ", "ERROR 1698 ")


class Away(Ends):
    """The database can't be reached."""

    code, word = 77, "refused"


def wrong_file(path):
    """What is wrong with the credentials file, and the cure; None if it is usable."""
    try:
        seen = os.stat(path)
    except OSError as error:
        return f"{path}: {error.strerror}; write it: [client], user=…, password=…, owner root, mode 0600"
    if not stat.S_ISREG(seen.st_mode) or seen.st_uid != 0:
        return f"{path} is owned by user {seen.st_uid} (allowed: root): chown root {path}"
    if stat.S_IMODE(seen.st_mode) not in (0o600, 0o400):
        return f"{path} has mode {stat.S_IMODE(seen.st_mode):04o} (allowed: 0600, 0400): chmod 0600 {path}"
    return None


def require_program(path, key):
    """A program that root runs, and that no other account could exchange."""
    if not os.access(path, os.X_OK):
        raise Refused(f"{path} ({key}) is not a program; allowed: the path of an executable")
    try:
        require_own(path)
    except Untrusted as untrusted:
        raise Refused(f"{key}: {untrusted}") from None
    return path


def tool(settings, key, *options):
    """Command of a client tool. Its credentials come from a file, never from the command line."""
    path, wrong = require_program(settings[key], key), wrong_file(settings["credentials"])
    if wrong:
        raise Refused(wrong)
    return [path, f"--defaults-extra-file={settings['credentials']}", *options]


def client(settings):
    return tool(settings, "client", *CLIENT)


def judge(settings, error):
    """The exception that a client's error stands for."""
    if error.startswith(DENIED):
        return Refused(
            f"the database rejects the login of {settings['credentials']}: {error}; allowed: an account that sees all databases; "
            "correct user and password in that file and run again"
        )
    if error.startswith("ERROR 1205 "):
        return TimedOut(f"a long write blocks the backup's lock: {error}; run again once that write has ended")
    if error.startswith("ERROR 2"):
        return Away(f"the database can't be reached: {error}; start it and run again")
    return Refused(f"the database reports an error: {error}; fix the cause and run again")


def answers(settings):
    """None if the database answers a query, else the exception with the reason."""
    code, out, err = run([*client(settings), "--execute=SELECT 1"], LIMIT_S)
    if code == 0 and out == "1":
        return None
    return judge(settings, last_line(err)) if code is not None else Away(f"the database gave no answer within {LIMIT_S} s")


def main(name, what):
    if what != "answers":
        sys.exit(64)
    wrong = answers(load(name))
    if wrong and not isinstance(wrong, Away):
        raise wrong
    sys.exit(0 if wrong is None else 1)


if __name__ == "__main__":
    start(main, __doc__, 2, 2)
