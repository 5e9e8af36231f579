"""scalr-httpd: pages and interface of farms and servers, each answer straight from the database.

GET /farms, /farms/NAME, /servers, /status; POST /farms {"name", "servers", "cloud"}, /farms/NAME/servers;
DELETE /farms/NAME, /servers/ID. Answers are JSON; 503 while the database does not answer.
"""

import http.server
import json
import socket
import urllib.parse

import pymysql

from scalr import database, settings
from scalr.settings import Wrong

TOLD = settings.compiled()
FARMS = "SELECT f.*, c.name AS cloud FROM farms f JOIN clouds c ON c.id = f.cloud"
SERVERS = "SELECT s.id, f.name AS farm, r.name AS role, s.state, s.address FROM servers s"
SERVERS += " JOIN farms f ON f.id = s.farm JOIN roles r ON r.id = s.role"


class Refused(Exception):
    """(status, text)"""


def farm(db, name):
    found = database.rows(db, f"{FARMS} WHERE f.name = %s", (name,))
    if not found:
        raise Refused(404, f"there is no farm {name}")
    return found[0]


def order(db, number):
    """Somebody looks at what the farm is to be."""
    body = json.dumps({"farm": number})
    database.run(db, "INSERT INTO messages (queue, body, changed) VALUES ('farms', %s, now(3))", (body,))


def add_servers(db, number, count):
    for at in range(count):
        database.run(db, "INSERT INTO servers (farm, role) VALUES (%s, %s)", (number, 1 + at % 20))
    database.run(db, "UPDATE farms SET state = 'pending' WHERE id = %s", (number,))
    order(db, number)


def launch_farm(db, told):
    name, count = str(told.get("name", "")), int(told.get("servers", 1))
    if not name or not 1 <= count <= 20:
        raise Refused(400, "a farm has a name, and 1 to 20 servers")
    cloud = database.rows(db, "SELECT id FROM clouds WHERE name = %s", (told.get("cloud", "public-east"),))
    if not cloud:
        raise Refused(400, f"there is no cloud {told['cloud']}")
    db.begin()
    was = database.rows(db, "SELECT id, state FROM farms WHERE name = %s FOR UPDATE", (name,))
    if was and was[0]["state"] not in ("terminated", "failed"):
        raise Refused(409, f"farm {name} is {was[0]['state']}")
    if was:
        left = database.rows(db, "SELECT id FROM servers WHERE farm = %s AND instance <> ''", (was[0]["id"],))
        if left and was[0]["state"] == "failed":
            raise Refused(409, f"farm {name} has failed and has servers at its cloud: terminate it first")
        database.run(db, "UPDATE servers SET state = 'terminated' WHERE farm = %s", (was[0]["id"],))
        database.run(db, "UPDATE farms SET cloud = %s, why = '' WHERE id = %s", (cloud[0]["id"], was[0]["id"]))
    else:
        database.run(db, "INSERT INTO farms (account, cloud, name) VALUES (1, %s, %s)", (cloud[0]["id"], name))
    add_servers(db, farm(db, name)["id"], count)
    db.commit()
    return farm(db, name)


def launch_server(db, name):
    db.begin()
    add_servers(db, farm(db, name)["id"], 1)
    db.commit()
    return farm(db, name)


def terminate_farm(db, name):
    number = farm(db, name)["id"]
    db.begin()
    database.run(db, "UPDATE farms SET state = 'terminating' WHERE id = %s", (number,))
    order(db, number)
    db.commit()
    return farm(db, name)


def terminate_server(db, number):
    db.begin()
    if not database.run(
        db, "UPDATE servers SET state = 'terminating' WHERE id = %s AND state <> 'terminated'", (number,)
    ):
        raise Refused(404, f"no server {number} that could be terminated")
    order(db, database.rows(db, "SELECT farm FROM servers WHERE id = %s", (number,))[0]["farm"])
    db.commit()
    return {"id": number, "state": "terminating"}


def hits():
    """How many pages this host has served, as its memcached knows it; null without one."""
    try:
        with socket.create_connection(("127.0.0.1", 11211), timeout=1) as cache:
            cache.sendall(b"add hits 0 0 1 noreply\r\n0\r\nincr hits 1\r\n")
            return int(cache.recv(64))
    except (OSError, ValueError):
        return None


def status(db):
    return {
        "host": socket.gethostname(),
        "version": TOLD["version"],
        "schema": [row["version"] for row in database.rows(db, "SELECT version FROM migrations ORDER BY begun")],
        "hits": hits(),
        **{key: TOLD[key] for key in ("cost_center",) if key in TOLD},
    }


def answer(db, method, parts, told):
    match (method, *parts):
        case ("GET",) | ("GET", "status"):
            return status(db)
        case ("GET", "farms"):
            return database.rows(db, f"{FARMS} WHERE f.state <> 'terminated' ORDER BY f.id")
        case ("GET", "farms", name):
            servers = database.rows(db, f"{SERVERS} WHERE f.name = %s AND s.state <> 'terminated'", (name,))
            return {**farm(db, name), "servers": servers}
        case ("GET", "servers"):
            return database.rows(db, f"{SERVERS} WHERE s.state <> 'terminated' ORDER BY s.id")
        case ("POST", "farms"):
            return launch_farm(db, told)
        case ("POST", "farms", name, "servers"):
            return launch_server(db, name)
        case ("DELETE", "farms", name):
            return terminate_farm(db, name)
        case ("DELETE", "servers", number):
            return terminate_server(db, number)
    raise Refused(404, "there is no such page")


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def respond(self):
        path = urllib.parse.urlsplit(self.path).path
        parts = [urllib.parse.unquote(part) for part in path.split("/") if part]
        status, db = 200, None
        try:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told = json.loads(sent or b"{}")
            db = database.connect(TOLD)
            database.require_schema(db)
            said = answer(db, self.command, parts, told)
        except Refused as refused:
            status, said = refused.args[0], {"error": refused.args[1]}
        except ValueError as error:
            status, said = 400, {"error": str(error)}
        except (Wrong, OSError, pymysql.MySQLError) as error:
            status, said = 503, {"error": str(error)}
        finally:
            if db:
                db.close()
        body = json.dumps(said, default=str).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = respond

    def log_message(self, *_):
        pass
