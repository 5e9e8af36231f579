"""Checks of a port. Each returns what is wrong, or None; a failed connection raises OSError."""

import http.client
import json
import socket


def listens(address, port, limit):
    socket.create_connection((address, port), limit).close()


def greets_as_rsync(address, port, limit):
    with socket.create_connection((address, port), limit) as connection:
        connection.settimeout(limit)
        greeting = connection.recv(64)
        return None if greeting.startswith(b"@RSYNCD:") else f"greets with {greeting!r}, not @RSYNCD:"


def get(address, port, path, limit, host=None):
    """(status, body) of a page."""
    connection = http.client.HTTPConnection(address, port, timeout=limit)
    try:
        connection.request("GET", path, headers={"Connection": "close", **({"Host": host} if host else {})})
        answer = connection.getresponse()
        return answer.status, answer.read(1_000_000).decode("utf8", "replace")
    except http.client.HTTPException as error:
        raise OSError(f"the answer is not HTTP: {error!r}") from error
    finally:
        connection.close()


def page_is_right(address, fields, limit):
    status, body = get(address, int(fields["port"]), fields["path"], limit, fields.get("host"))
    if status != int(fields["status"]):
        return f"status {status} (allowed: {fields['status']})"
    wanted = fields.get("contains", "")
    return None if wanted in body else f"does not contain {wanted!r}"


def index_answers(address, fields, limit):
    path = f"/solr/{fields['core']}/replication?command=indexversion&wt=json"
    status, body = get(address, int(fields["port"]), path, limit)
    return None if status == 200 and "indexversion" in json.loads(body) else f"status {status}"
