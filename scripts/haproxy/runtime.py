"""The runtime sockets of HAProxy 2.6: the current worker, and old workers that finish requests after a reload."""

import csv
import re
import socket

from exit_codes import refused

ADMIN = "/run/haproxy/admin.sock"
MASTER = "/run/haproxy-master.sock"
LIMIT_S = 5


class Unusable(Exception):
    """The socket can't be opened, or its answer is not HAProxy's."""


def ask(path, command):
    """The answer of one socket to one command."""
    answer = b""
    try:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.settimeout(LIMIT_S)
            opened.connect(path)
            opened.sendall(f"{command}\n".encode())
            opened.shutdown(socket.SHUT_WR)
            while data := opened.recv(65536):
                answer += data
    except OSError as error:
        raise Unusable(f"{path} does not answer ({error})") from error
    return answer.decode(errors="replace")


def first_line(answer):
    return (answer.strip().splitlines() or ["nothing"])[0][:120]


def table_of(path, command, answer, start):
    """A line of column names, then lines of values; Unusable if the answer is anything else."""
    lines = [line for line in answer.splitlines() if line.strip()]
    if not lines or not lines[0].startswith(start):
        raise Unusable(f"{path} answered {command!r} with: {first_line(answer)}")
    return lines


def info():
    """`show info` of the current worker."""
    answer = ask(ADMIN, "show info")
    fields = dict(line.split(": ", 1) for line in answer.splitlines() if ": " in line)
    if fields.get("Name") != "HAProxy" or not fields.get("Pid", "").isdigit():
        raise Unusable(f"{ADMIN} answered 'show info' with: {first_line(answer)}")
    return fields


def trouble():
    """Why the socket is unusable; None: it is usable."""
    try:
        fields = info()
        level = ask(ADMIN, "show cli level").strip()
        if level != "admin":
            return f"{ADMIN} has level {level[:40] or 'none'} (needed: admin); set `stats socket {ADMIN} level admin`"
        if int(fields["Pid"]) not in workers()["new"]:
            return f"{ADMIN} is answered by process {fields['Pid']}, which is not a worker of haproxy.service"
    except Unusable as error:
        return str(error)
    return None


def workers():
    """Processes of the service: `new` take requests, `old` finish theirs. `failed`: reloads that failed since the last good one."""
    answer = ask(MASTER, "show proc")
    kind, result = "", {"new": [], "old": [], "failed": 0}
    for line in table_of(MASTER, "show proc", answer, "#<PID>"):
        words = line.split()
        if line.startswith("# "):
            kind = {"workers": "new", "old workers": "old"}.get(line[2:].strip(), "")
        elif len(words) > 1 and words[1] == "worker" and kind:
            result[kind].append(int(words[0]))
        elif len(words) > 1 and words[1] == "master":
            failed = re.search(r"\[failed: (\d+)\]", line)
            result["failed"] = int(failed[1]) if failed else 0
    return result


def stat(worker=None):
    """`show stat`: rows by (proxy, server), of the current worker or of an old one."""
    path, command = (ADMIN, "show stat") if worker is None else (MASTER, f"@!{worker} show stat")
    lines = table_of(path, "show stat", ask(path, command), "# pxname,svname,")
    names, *rows = csv.reader([lines[0][2:], *lines[1:]])
    return {(row[0], row[1]): dict(zip(names, row)) for row in rows if len(row) > 30}


def servers_state(pool):
    """`show servers state`: the row of each server of a pool, by name."""
    command = f"show servers state {pool}"
    answer = ask(ADMIN, command)
    if not answer.startswith("1\n# be_id "):
        raise Unusable(f"{ADMIN} answered {command!r} with: {first_line(answer)}")
    _, names, *rows = answer.strip().splitlines()
    records = [dict(zip(names[2:].split(), row.split())) for row in rows if row]
    return {row["srv_name"]: row for row in records}


def place_of(row):
    """Where HAProxy reaches a server: `address:port`."""
    return f"{row['srv_addr']}:{row['srv_port']}"


def with_ports(dump, ports):
    """A dump of `show servers state` with these ports, by server; other servers keep theirs."""
    lines = dump.splitlines()
    names = lines[1][2:].split() if len(lines) > 1 else []
    for index, line in enumerate(lines[2:], 2):
        row = dict(zip(names, line.split()))
        if row.get("srv_name") in ports:
            lines[index] = " ".join({**row, "srv_port": ports[row["srv_name"]]}.values())
    return "\n".join([*lines, ""])


def set_place(pool, server, place):
    """Reach a server elsewhere from now on. HAProxy answers this order with what it changed."""
    address, _, port = place.rpartition(":")
    command = f"set server {pool}/{server} addr {address} port {port}"
    answer = ask(ADMIN, command).strip()
    if place_of(servers_state(pool)[server]) != place:
        raise refused(f"HAProxy answered {command!r} with: {first_line(answer)}")


def admin_of(row):
    """The administrative state of a server: maint, drain or ready."""
    flags = int(row["srv_admin_state"])
    return "maint" if flags & 0x23 else "drain" if flags & 0x18 else "ready"


def order(command):
    """Send a command that changes something. Any answer but an empty one is an error."""
    try:
        answer = ask(ADMIN, command).strip()
    except Unusable as error:
        raise refused(f"{error}; {command!r} was not executed") from error
    if answer:
        raise refused(f"HAProxy answered {command!r} with: {first_line(answer)}")


def set_state(pool, server, state):
    order(f"set server {pool}/{server} state {state}")


def count(row, *columns):
    return sum(int(row.get(column) or 0) for column in columns)


def sessions(pool, server):
    """Requests at a server or queued for it, in every worker. An old worker may send one more on each idle connection."""
    total = count(stat().get((pool, server), {}), "scur", "qcur")
    for worker in workers()["old"]:
        try:
            rows = stat(worker)
        except Unusable:
            continue
        total += count(rows.get((pool, server), {}), "scur", "qcur")
        clients = sum(count(row, "scur") for (_, kind), row in rows.items() if kind == "FRONTEND")
        busy = sum(count(row, "scur") for (_, kind), row in rows.items() if kind == "BACKEND")
        total += max(0, clients - busy)
    return total


def cut(pool, server):
    """Cut every session at a server, in every worker."""
    order(f"shutdown sessions server {pool}/{server}")
    for worker in workers()["old"]:
        for line in ask(MASTER, f"@!{worker} show sess").splitlines():
            if f" srv={server} " in line:
                ask(MASTER, f"@!{worker} shutdown session {line.split(':', 1)[0]}")
