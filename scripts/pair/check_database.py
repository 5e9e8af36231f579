#!/usr/bin/env python3
"""Check once that a PostgreSQL server accepts writes, over the network and without a client library.

Usage: check_database.py ADDRESS PORT DATABASE STANDBY    (stdin: password of role changeover_check)

Ends with 0 when the server accepts writes and STANDBY streams from the server (`none`: no
standby is expected); else with 1 and the reason on stderr.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from postgres_client import Server  # noqa: E402

QUESTION = (
    "select case when pg_is_in_recovery() then 'PostgreSQL rejects writes' "
    "when '{}' <> 'none' and not exists (select from pg_stat_replication where state = 'streaming' and application_name = '{}') "
    "then '{} does not stream from production' else 'ok' end"
)


def main():
    if len(sys.argv) != 5 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    address, port, database, standby = sys.argv[1:5]
    password = sys.stdin.readline().strip()
    if not standby.replace("-", "").isalnum():
        sys.exit(f"\"{standby}\" is not a host name")
    try:
        server = Server(address, int(port))
        server.login(database, password)
        answer = server.ask(QUESTION.format(standby, standby, standby))
    except OSError as error:
        sys.exit(str(error))
    if answer != "ok":
        sys.exit(answer)


main()
