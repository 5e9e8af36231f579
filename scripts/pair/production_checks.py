"""The checks of what production of a pair runs."""

import os
import subprocess

from port_checks import greets_as_rsync, index_answers, listens, page_is_right

CHECK_S = 5
# As in lib-peer.sh.
PROVED = "sslmode=require channel_binding=require sslcert=/none sslrootcert=/none"


def run_check(words, wanted, stdin=""):
    """What is wrong with the output of a command; None when it is `wanted`."""
    ended = subprocess.run(words, capture_output=True, text=True, timeout=CHECK_S, check=False, input=stdin, cwd="/")
    output = (ended.stdout + ended.stderr).strip()
    return None if ended.stdout.strip() == wanted else output or f"ends with {ended.returncode}"


def database_checks(conf):
    psql = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", "psql", "-XAtq"]
    name, port = conf["DATABASE"], conf["PORT"]
    tcp = f"host=127.0.0.1 port={port} user=changeover {PROVED} passfile=/etc/{conf['PAIR']}/pgpass connect_timeout=3 dbname={name}"
    question = "select pg_is_in_recovery()"
    yield f"database {name} by its socket", lambda: run_check([*psql, "-p", port, "-d", name], "f", question)
    yield f"database {name} by tcp", lambda: run_check([*psql, "-d", tcp], "f", question)


def grown(path, size):
    def check():
        return None if os.path.exists(path) and os.path.getsize(path) > size else "has no new line since the page was requested"
    return check


def service_checks(name, fields):
    for unit in fields.get("units", "").split():
        yield f"{name}: unit {unit} is active", lambda unit=unit: run_check(["systemctl", "is-active", unit], "active")
    for port in fields.get("ports", "").split():
        yield f"{name}: something listens on port {port}", lambda port=port: listens("127.0.0.1", int(port), CHECK_S)
    for log in fields.get("logs", "").split():
        yield f"{name}: {log} exists", lambda log=log: None if os.path.isfile(log) else "does not exist"


def page_checks(name, fields, conf):
    address = conf["SELF_ADDRESS"] if conf["SERVICE_ADDRESS"] == "none" else conf["SERVICE_ADDRESS"]
    yield f"{name}: {address}:{fields['port']}{fields['path']}", lambda: page_is_right(address, fields, CHECK_S)
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


def all_checks(conf, carries):
    """Pairs of a name and a function that returns what is wrong, or None."""
    yield from database_checks(conf)
    own = conf["SELF_ADDRESS"]
    for name, fields in grouped(carries, "services").items():
        yield from service_checks(name, fields)
    for name, fields in grouped(carries, "indexes").items():
        yield f"index {name} answers", lambda fields=fields: index_answers("127.0.0.1", fields, CHECK_S)
    daemons = {carries.get("rsync_port"), *(fields["rsyncPort"] for fields in grouped(carries, "indexes").values())}
    for port in sorted(daemons - {None}):
        yield f"an rsync daemon answers on port {port}", lambda port=port: greets_as_rsync(own, int(port), CHECK_S)
    for name, fields in grouped(carries, "checks").items():
        yield from page_checks(name, fields, conf)
