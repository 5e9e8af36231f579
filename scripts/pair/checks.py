#!/usr/bin/env python3
"""Look at what production of a pair runs: units, ports, database, rsync daemons, indexes, pages, logs.

Usage: checks.py PAIR    (reads /etc/PAIR/PAIR.conf and /etc/PAIR/carries)

All looks run side by side, each again and again until it is right or its deadline has
passed. A line each on stderr; their number on stdout. Ends with 1 when one failed.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from files import pairs_of  # noqa: E402
from looks import greets_as_rsync, index_answers, listens, page_is_right  # noqa: E402

DEADLINE_S, LOOK_S, PAUSE_S = 45, 5, 0.2


def ran(words, wanted, stdin=""):
    """What is wrong with the output of a command; None when it is as wanted."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=LOOK_S, check=False, input=stdin, cwd="/")
    said = (done.stdout + done.stderr).strip()
    return None if done.stdout.strip() == wanted else said or f"ends with {done.returncode}"


def database_looks(conf):
    psql = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", "psql", "-XAtq"]
    name, port = conf["DATABASE"], conf["PORT"]
    tcp = f"host=127.0.0.1 port={port} user=changeover passfile=/etc/{conf['PAIR']}/pgpass connect_timeout=3 dbname={name}"
    question = "select pg_is_in_recovery()"
    yield f"database {name} by its socket", lambda: ran([*psql, "-p", port, "-d", name], "f", question)
    yield f"database {name} by tcp", lambda: ran([*psql, "-d", tcp], "f", question)


def grown(path, size):
    def look():
        return None if os.path.exists(path) and os.path.getsize(path) > size else "says nothing of the page"
    return look


def service_looks(name, fields):
    for unit in fields.get("units", "").split():
        yield f"{name}: unit {unit} is active", lambda unit=unit: ran(["systemctl", "is-active", unit], "active")
    for port in fields.get("ports", "").split():
        yield f"{name}: something listens on port {port}", lambda port=port: listens("127.0.0.1", int(port), LOOK_S)
    for log in fields.get("logs", "").split():
        yield f"{name}: {log} is there", lambda log=log: None if os.path.isfile(log) else "is not there"


def page_looks(name, fields, conf):
    address = conf["SELF_ADDRESS"] if conf["SERVICE_ADDRESS"] == "none" else conf["SERVICE_ADDRESS"]
    yield f"{name}: {address}:{fields['port']}{fields['path']}", lambda: page_is_right(address, fields, LOOK_S)
    for log in fields.get("logs", "").split():
        size = os.path.getsize(log) if os.path.exists(log) else 0
        yield f"{name}: {log} grows", grown(log, size)


def grouped(carries, kind):
    """{name: {field: value}} of the lines `kind.name.field=value`."""
    groups = {}
    for key, value in carries.items():
        first, _, rest = key.partition(".")
        if first == kind:
            name, _, field = rest.partition(".")
            groups.setdefault(name, {})[field] = value
    return groups


def all_looks(conf, carries):
    yield from database_looks(conf)
    own = conf["SELF_ADDRESS"]
    for name, fields in grouped(carries, "services").items():
        yield from service_looks(name, fields)
    for name, fields in grouped(carries, "indexes").items():
        yield f"index {name} answers", lambda fields=fields: index_answers("127.0.0.1", fields, LOOK_S)
    daemons = {carries.get("rsync_port"), *(fields["rsyncPort"] for fields in grouped(carries, "indexes").values())}
    for port in sorted(daemons - {None}):
        yield f"an rsync daemon answers on port {port}", lambda port=port: greets_as_rsync(own, int(port), LOOK_S)
    for name, fields in grouped(carries, "checks").items():
        yield from page_looks(name, fields, conf)


def until_right(named):
    name, look = named
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            wrong = look()
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            wrong = str(error) or type(error).__name__
        if wrong is None or time.monotonic() > deadline:
            print(f"{'ok    ' if wrong is None else 'FAILED'} {name}{'' if wrong is None else f': {wrong}'}", file=sys.stderr, flush=True)
            return wrong is None
        time.sleep(PAUSE_S)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    pair = sys.argv[1]
    conf = pairs_of(f"/etc/{pair}/{pair}.conf") or sys.exit("the pair is not configured here")
    looks = list(all_looks(conf, pairs_of(f"/etc/{pair}/carries") or {}))
    with ThreadPoolExecutor(max_workers=len(looks)) as pool:
        right = list(pool.map(until_right, looks))
    print(len(right))
    sys.exit(0 if all(right) else 1)


main()
