#!/usr/bin/env python3
"""One app server of SOUNZ: works are in the database, in one file each, and in the index.

Usage: app.py PORT    (a service; reads /etc/sounz/sounz.conf and /etc/sounz/app.pass)

GET / is the front page, GET /health tells whether database and index answer, POST /works
with `title=…` saves a work. With a read-only database the pages still work.
"""

import contextlib
import html
import http.server
import json
import logging
import logging.handlers
import os
import queue
import sys
import urllib.error
import urllib.parse
import urllib.request

import psycopg2

LIMIT_S = 3
WORKS = "/data/sounz/works"
LOG = "/var/log/sounz/sounz-app/production.log"
PAGE = "<!doctype html><title>SOUNZ</title><h1>SOUNZ</h1><p>{} works, {} in the index</p>\n"
TABLE = "create table if not exists works (id serial primary key, title text not null, made timestamptz default now())"
log = logging.getLogger("sounz")
idle = queue.LifoQueue()


def pairs_of(path):
    with open(path, encoding="utf8") as file:
        return dict(line.strip().split("=", 1) for line in file if "=" in line)


CONF = pairs_of("/etc/sounz/sounz.conf")
INDEX = f"http://127.0.0.1:{pairs_of('/etc/apollo/apollo.conf')['PORT']}/solr/apollo"


def connect():
    with open("/etc/sounz/app.pass", encoding="utf8") as file:
        password = file.read().strip()
    name = CONF["DATABASE"]
    where = {"host": "127.0.0.1", "port": CONF["PORT"], "dbname": name, "user": name, "password": password}
    connection = psycopg2.connect(**where, connect_timeout=LIMIT_S, options=f"-c statement_timeout={LIMIT_S}s")
    connection.autocommit = True
    return connection


def usable():
    """A working connection: broken idle connections are closed first."""
    with contextlib.suppress(queue.Empty):
        while True:
            kept = idle.get_nowait()
            try:
                with kept.cursor() as cursor:
                    cursor.execute("select 1")
                return kept
            except psycopg2.Error:
                kept.close()
    return connect()


@contextlib.contextmanager
def database():
    connection = usable()
    try:
        with connection.cursor() as cursor:
            yield cursor
    except psycopg2.OperationalError:
        connection.close()
        raise
    finally:
        if not connection.closed:
            idle.put(connection)


def index(what, body=None):
    request = urllib.request.Request(f"{INDEX}/{what}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
        return json.load(answer)


def documents():
    return index("select?q=*:*&rows=0&wt=json")["response"]["numFound"]


def works():
    with database() as cursor:
        cursor.execute("select to_regclass('works')")
        if cursor.fetchone() == (None,):
            return 0
        cursor.execute("select count(*) from works")
        return cursor.fetchone()[0]


def keep(title):
    with database() as cursor:
        cursor.execute("select to_regclass('works')")
        if cursor.fetchone() == (None,):
            cursor.execute(TABLE)
        cursor.execute("insert into works (title) values (%s) returning id", (title,))
        number = cursor.fetchone()[0]
    with open(f"{WORKS}/{number}.txt", "w", encoding="utf8") as file:
        file.write(f"{title}\n")
    document = {"id": str(number), "title": title, "text": title}
    index("update?commit=true&wt=json", json.dumps([document]).encode())
    return number


class Hit(http.server.BaseHTTPRequestHandler):
    timeout = 30

    def answer(self, make):
        """The answer of `make`, or 503 and the reason if database, files or index fail."""
        try:
            status, text = make()
        except (psycopg2.Error, OSError, ValueError, KeyError) as error:
            status, text = 503, f"{type(error).__name__}: {' '.join(str(error).split())}\n"
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"text/{'html' if text.startswith('<') else 'plain'}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        pages = {
            "/": lambda: (200, PAGE.format(html.escape(str(works())), documents())),
            "/health": lambda: (200, f"ok: {works()} works, {documents()} in the index\n"),
        }
        self.answer(pages.get(self.path, lambda: (404, "there is no such page\n")))

    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 65536)).decode(errors="replace")
        title = urllib.parse.parse_qs(body).get("title", [""])[0].strip()
        if self.path != "/works" or not title:
            self.answer(lambda: (400, "POST /works with title=…\n"))
        else:
            self.answer(lambda: (201, f"work {keep(title)}\n"))

    def log_message(self, *words):
        log.info("%s %s %s", self.server.server_port, self.headers.get("X-Forwarded-For", "-"), words[0] % words[1:])


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64


if len(sys.argv) != 2 or not sys.argv[1].isdigit():
    print(__doc__)
    sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
os.umask(0o022)
# Reopens the log after a rotation.
handler = logging.handlers.WatchedFileHandler(LOG)
handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
log.addHandler(handler)
log.setLevel(logging.INFO)
Server(("127.0.0.1", int(sys.argv[1])), Hit).serve_forever()
