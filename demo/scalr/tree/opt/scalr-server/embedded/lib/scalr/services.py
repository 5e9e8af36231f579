"""The services that are stand-ins: each does a little true work against the database, and says every few seconds that
it lives by a row in `heartbeats`. One that cannot do so ends, and the supervisor starts it again.

Usage: service NAME
"""

import http.server
import importlib
import json
import os
import socket
import socketserver
import sys
import threading
import time

import pymysql

from scalr import database, settings, workflow
from scalr.broker import Broker, ask
from scalr.settings import VAR, Wrong

HOST = socket.gethostname()
RESEND_S = 15


def write_file(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.part", "w", encoding="utf8") as file:
        file.write(text)
    os.rename(f"{path}.part", path)


def load():
    return os.getloadavg()[0]


# The work of a service: called again and again with its connection and the settings.


def analytics_poller(db, told):
    database.run(db, "INSERT INTO samples (at, host, cpu_load) VALUES (now(), %s, %s)", (HOST, load()))


def analytics_processor(db, told):
    database.run(
        db,
        "REPLACE INTO loads_hourly"
        " SELECT date_format(at, '%%Y-%%m-%%d %%H:00:00') AS hour, host, count(*), avg(cpu_load)"
        " FROM samples WHERE at > now() - INTERVAL 10 MINUTE GROUP BY hour, host",
    )


def beat(db, told):
    """What is due at fixed times: a mail a minute to whoever watches."""
    body = json.dumps({"minute": int(time.time()) // 60})
    database.run(
        db,
        "INSERT INTO messages (queue, body, changed) SELECT 'mail', %s, now(3) FROM DUAL"
        " WHERE NOT EXISTS (SELECT 1 FROM messages WHERE queue = 'mail' AND body = %s)",
        (body, body),
    )


def dbqueue(db, told):
    """Hands messages from the database to the broker; again when nobody has done them for a while."""
    for row in database.rows(
        db,
        "SELECT id, queue, body FROM messages WHERE state = 'new'"
        " OR state = 'sent' AND changed < now(3) - INTERVAL %s SECOND ORDER BY id LIMIT 50",
        (RESEND_S,),
    ):
        ask({"put": row["queue"], "body": {"id": row["id"], **json.loads(row["body"])}})
        database.run(db, "UPDATE messages SET state = 'sent', changed = now(3) WHERE id = %s", (row["id"],))


def license_manager(db, told):
    database.run(db, "UPDATE licenses SET checked = now()")
    if database.rows(db, "SELECT id FROM licenses WHERE expires < curdate()"):
        raise Wrong("the licence has expired")


def monitor(db, told):
    database.run(db, "UPDATE servers SET checked = now() WHERE state = 'running' ORDER BY checked LIMIT 10")


def msgsender(db, told):
    while body := ask({"get": "mail"})["body"]:
        write_file(f"{VAR}/lib/mail/{body['minute']}", json.dumps(body) + "\n")
        database.run(db, "UPDATE messages SET state = 'done', changed = now(3) WHERE id = %s", (body["id"],))


def plotter(db, told):
    """A drawing of how many heartbeats there were in each of the last minutes."""
    counts = database.rows(
        db,
        "SELECT count(*) AS n FROM heartbeats GROUP BY unix_timestamp(at) DIV 60"
        " ORDER BY unix_timestamp(at) DIV 60 DESC LIMIT 15",
    )
    bars = "".join(
        f'<rect x="{10 * at}" y="{max(0, 100 - row["n"] // 10)}" width="8" height="100"/>'
        for at, row in enumerate(counts)
    )
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" height="100">{bars}</svg>\n'
    write_file(f"{VAR}/lib/plots/heartbeats.svg", drawing)


def crond(db, told):
    """Runs the lines of etc/crontab that are due, once a minute each."""
    now = time.localtime()
    if crond.ran == now.tm_min:
        return
    crond.ran = now.tm_min
    jobs = {
        "heartbeats": lambda: database.run(db, "CALL forget_heartbeats(%s)", (int(told["heartbeat_keep_minutes"]),)),
        "vacuum": lambda: database.run(db, "ANALYZE TABLE heartbeats"),
    }
    with open(f"{settings.ETC}/crontab", encoding="utf8") as file:
        for minute, *_, job in (line.split() for line in file if line.strip() and not line.startswith("#")):
            if now.tm_min % int(minute.removeprefix("*/").replace("*", "1")) == 0:
                jobs[job]()


crond.ran = None


def rrd(db, told):
    """The load of the last hour in a file that never grows."""
    path, slot = f"{VAR}/lib/rrd/load", int(time.time()) // 10 % 360
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
        file.seek(8 * slot)
        file.write(f"{load():7.2f}\n".encode())


def workflow_engine(db, told):
    """Launches and terminates: what the broker brings, as far as the farm's cloud lets it."""
    while body := ask({"get": "farms"})["body"]:
        try:
            workflow.carry_out(db, told, body["farm"])
        except Wrong as wrong:
            workflow.fail(db, body["farm"], str(wrong))
        database.run(db, "UPDATE messages SET state = 'done', changed = now(3) WHERE id = %s", (body["id"],))


# The ones that answer on a port, beside their heartbeat.


class Influx(http.server.BaseHTTPRequestHandler):
    """Takes lines at /write, and says at /ping that it is there."""

    def do_GET(self):
        self.send_response(204 if self.path == "/ping" else 404)
        self.end_headers()

    def do_POST(self):
        lines = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        os.makedirs(f"{VAR}/lib/influxdb", exist_ok=True)
        with open(f"{VAR}/lib/influxdb/{int(time.time()) // 3600}", "ab") as file:
            file.write(lines)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Updates(Influx):
    """Which version an agent should have."""

    def do_GET(self):
        body = json.dumps({"agent": settings.version()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)


class Http(http.server.ThreadingHTTPServer):
    daemon_threads = True


class Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def httpd(told):
    from scalr.httpd import Pages

    return Http(("", int(told["httpd_port"])), Pages)


WORK = {
    "analytics_poller": analytics_poller,
    "analytics_processor": analytics_processor,
    "beat": beat,
    "dbqueue": dbqueue,
    "license-manager": license_manager,
    "monitor": monitor,
    "msgsender": msgsender,
    "plotter": plotter,
    "scalr-crond": crond,
    "scalr-rrd": rrd,
    "workflow-engine": workflow_engine,
}
SERVERS = {
    "scalr-httpd": httpd,
    "scalr-influxdb": lambda told: Http(("127.0.0.1", 8086), Influx),
    "scalr-rabbitmq": lambda told: Tcp(("127.0.0.1", 5672), Broker),
    "szrupdater": lambda told: Http(("127.0.0.1", 8008), Updates),
    "zmq_service": lambda told: Tcp(("127.0.0.1", 8010), Echo),
}
# How often a service looks for work; the others do theirs with their heartbeat.
EVERY = {"dbqueue": 0.5, "msgsender": 0.5, "workflow-engine": 0.5}


def work_of(name):
    if name == "poller":
        return importlib.import_module("scalr.poller").poll
    return WORK.get(name, lambda db, told: None)


def run(name):
    told = settings.compiled()
    if name not in WORK and name not in SERVERS and name != "poller":
        raise Wrong(f"there is no service {name}")
    db = database.connect(told)
    database.require_schema(db)
    if name in SERVERS:
        threading.Thread(target=SERVERS[name](told).serve_forever, daemon=True).start()
    work, pause, due = work_of(name), float(told["heartbeat_seconds"]), 0
    print(f"{name} {told['version']} works", flush=True)
    while True:
        if time.monotonic() >= due:
            due = time.monotonic() + pause
            words = (HOST, name, told["version"])
            database.run(
                db, "INSERT INTO heartbeats (at, host, service, version) VALUES (now(3), %s, %s, %s)", words
            )
        work(db, told)
        time.sleep(EVERY.get(name, pause))


if __name__ == "__main__":
    try:
        run(sys.argv[1])
    except (Wrong, OSError, pymysql.MySQLError) as error:
        print(f"{sys.argv[1]}: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
