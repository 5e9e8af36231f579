"""A stand-in outside of Scalr: the interface of a cloud, or of a configuration tool.

Usage: outside.py cloud|tool FILE ADDRESS PORT    serve it
       outside.py tell FILE                       change its state by the JSON on stdin, key by key
       outside.py show FILE                       its state, without keys

Real: connections over the network, HTTP, keys that every request needs and that may change at any time, an answer that never
comes. Not real: no machine is launched and no node is configured; both are entries in FILE. Nothing here knows Scalr.

Cloud:  GET / (no key)  /account  /types  /images  /instances;  GET PUT DELETE /instances/NAME  {"type", "image"}
Tool:   GET / (no key)  /account  /nodes;  GET PUT DELETE /nodes/NAME  {"run_list"}

A repeated PUT makes no second one. An instance is pending for a second, then running. In FILE: `keys` {key: owner},
`images`, `types`, `hang` [path prefixes that never get an answer].
"""

import fcntl
import hashlib
import http.server
import json
import os
import sys
import time
from contextlib import contextmanager

FRESH = {
    "cloud": {"types": ["small", "medium"], "images": [], "instances": {}},
    "tool": {"nodes": {}},
}
MADE = {"cloud": ("instances", ("type", "image")), "tool": ("nodes", ("run_list",))}
BOOT_S = 1


@contextmanager
def state(path):
    """The contents of the file, under a lock; changes are saved at the end."""
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        now = json.loads(file.read() or "{}")
        was = json.dumps(now)
        yield now
        if json.dumps(now) != was:
            file.seek(0)
            file.truncate()
            json.dump(now, file)


class No(Exception):
    """(status, text)"""


def seen(thing):
    """An instance as clients see it: pending for its first second, then running."""
    if "since" not in thing:
        return thing
    return {**thing, "state": "running" if time.time() - thing["since"] >= BOOT_S else "pending"}


def made(kind, now, name, said):
    """A new instance or node from a request."""
    needed = MADE[kind][1]
    if lacking := [key for key in needed if key not in said]:
        raise No(400, f"{', '.join(lacking)} is missing")
    for key in ("type", "image"):
        if key in needed and said[key] not in now[f"{key}s"]:
            raise No(400, f"there is no {key} {said[key]}")
    told = {"name": name, **{key: said[key] for key in needed}}
    if kind == "tool":
        return told
    number = hashlib.sha256(name.encode()).hexdigest()[:8]
    return {**told, "id": f"i-{number}", "address": f"198.51.100.{1 + int(number, 16) % 250}", "since": time.time()}


def answer(kind, now, method, parts, said):
    called = MADE[kind][0]
    things = now[called]
    match (method, *parts):
        case ("GET", "types" | "images" as what) if kind == "cloud":
            return now[what]
        case ("GET", what) if what == called:
            return [seen(thing) for thing in things.values()]
        case ("GET", what, name) if what == called and name in things:
            return seen(things[name])
        case ("PUT", what, name) if what == called:
            new = made(kind, now, name, said)
            since = {"since": things[name]["since"]} if "since" in things.get(name, {}) else {}
            things[name] = {**new, **since}
            return seen(things[name])
        case ("DELETE", what, name) if what == called and name in things:
            return things.pop(name)
    raise No(404, f"there is no {'/'.join(parts)}")


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kind = path_of_state = ""

    def respond(self):
        parts = [part for part in self.path.split("/") if part]
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        while self.hangs():
            time.sleep(0.5)
        try:
            status, said = 200, self.said(parts, json.loads(sent or b"{}"))
        except No as no:
            status, said = no.args[0], {"error": no.args[1]}
        except ValueError as error:
            status, said = 400, {"error": str(error)}
        body = json.dumps(said).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hangs(self):
        with state(self.path_of_state) as now:
            return any(self.path.startswith(beginning) for beginning in now.get("hang", []))

    def said(self, parts, sent):
        with state(self.path_of_state) as now:
            if not parts:
                return {"name": now["name"]}
            owner = now["keys"].get((self.headers.get("Authorization") or "").removeprefix("Bearer "))
            if owner is None:
                raise No(401, "this key is not known")
            if parts == ["account"]:
                return {"account": owner}
            return answer(self.kind, now, self.command, parts, sent)

    do_GET = do_PUT = do_DELETE = respond

    def log_message(self, *words):
        print(self.client_address[0], words[0] % words[1:], flush=True)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def serve(kind, path, address, port):
    with state(path) as now:
        for key, value in {"name": os.path.basename(path), "keys": {}, **FRESH[kind]}.items():
            now.setdefault(key, value)
    Pages.kind, Pages.path_of_state = kind, path
    Server((address, int(port)), Pages).serve_forever()


def main(words):
    match words:
        case ["cloud" | "tool" as kind, path, address, port]:
            serve(kind, path, address, port)
        case ["tell", path]:
            with state(path) as now:
                now.update(json.load(sys.stdin))
        case ["show", path]:
            with state(path) as now:
                print(json.dumps({key: value for key, value in now.items() if key != "keys"}))
        case _:
            print(__doc__.strip(), file=sys.stderr)
            return 64
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
