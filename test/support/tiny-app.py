"""A tiny application: `/ready`, `/slow`, and a page that says its name. Files in its folder say how it answers.

Usage: tiny-app.py NAME FOLDER [PORT]
"""

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME, FOLDER = sys.argv[1:3]
PORT = int((sys.argv[3:] or ["8080"])[0])


def told(what, otherwise):
    try:
        with open(f"{FOLDER}/{what}", encoding="utf8") as file:
            return file.read().strip()
    except OSError:
        return otherwise


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status = 200
        if self.path == "/ready":
            status = int(told("ready", "200"))
        elif self.path == "/slow":
            time.sleep(float(told("slow", "2")))
        else:
            status = int(told("status", "200"))
        body = f"{NAME}\n".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        """A health check ends its connection as soon as it has its answer."""


Server(("0.0.0.0", PORT), Answer).serve_forever()
