"""Farms, servers, and what is outside, from the command line.

Usage: scalr-ctl farms list
       scalr-ctl farms launch NAME [--servers N] [--cloud NAME] [--wait SECONDS]
       scalr-ctl farms terminate NAME [--wait SECONDS]
       scalr-ctl servers list [--farm NAME]
       scalr-ctl servers launch FARM [--wait SECONDS]
       scalr-ctl servers terminate ID
       scalr-ctl clouds list
       scalr-ctl clouds credentials [NAME]
       scalr-ctl clouds test|tidy NAME
       scalr-ctl networks test NAME
       scalr-ctl tools test|tidy
       scalr-ctl status

For farms, servers and status it asks scalr-httpd: --url URL, or url= of scalr-server.conf, or of this host when it has a web server or proxy.
launch and terminate wait (60 s) until it is so, and end with 1, and why, when it does not get so; to terminate what is
not there is no error. Clouds and the tool are asked from this very host; tidy is for what a killed test has left.
"""

import argparse
import json
import sys
import time
import urllib.error
import urllib.request

from pymysql import MySQLError

from scalr import checks, settings
from scalr.settings import Wrong

LIMIT = 10
# The verbs of each kind, and whether each takes a name; None where it may.
LAUNCH = {"list": False, "launch": True, "terminate": True}
VERBS = {
    "farms": LAUNCH,
    "servers": LAUNCH,
    "clouds": {"list": False, "credentials": None, "test": True, "tidy": True},
    "networks": {"test": True},
    "tools": {"test": False, "tidy": False},
    "status": {"list": False},
}


class Missing(Wrong):
    """The server says that there is no such thing."""


def url():
    told = settings.read()
    if told.get("url"):
        return told["url"].rstrip("/")
    names = settings.roles()[told["role"]]
    if "scalr-nginx" in names:
        return f"http://127.0.0.1:{told['proxy_port']}"
    if "scalr-httpd" in names:
        return f"http://127.0.0.1:{told['httpd_port']}"
    raise Wrong("this host has no web server: say which by --url, or by url= in scalr-server.conf")


def call(method, path, said=None):
    body = None if said is None else json.dumps(said).encode()
    request = urllib.request.Request(f"{call.url}/{path}", data=body, method=method)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=LIMIT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace").strip()
        try:
            text = json.loads(text)["error"]
        except (ValueError, KeyError, TypeError):
            text = f"{error.code} {error.reason}"
        raise (Missing if error.code == 404 else Wrong)(text) from None
    except (OSError, ValueError) as error:
        raise Wrong(f"{call.url}: {error}") from None


def wait(name, wanted, seconds):
    """Until the farm and its servers are as wanted."""
    deadline = time.monotonic() + seconds
    while True:
        farm = call("GET", f"farms/{name}")
        if farm["state"] == "failed":
            raise Wrong(f"farm {name} failed: {farm['why']}")
        if farm["state"] == wanted and all(server["state"] == wanted for server in farm["servers"]):
            return farm
        if time.monotonic() > deadline:
            raise Wrong(f"farm {name} is {farm['state']}, not {wanted} after {seconds:g} s")
        time.sleep(0.3)


def gone(number, seconds):
    deadline = time.monotonic() + seconds
    while left := [server for server in call("GET", "servers") if str(server["id"]) == number]:
        if left[0]["state"] == "failed":
            raise Wrong(f"server {number} is not terminated: {call('GET', 'farms/' + left[0]['farm'])['why']}")
        if time.monotonic() > deadline:
            raise Wrong(f"server {number} is not terminated after {seconds:g} s")
        time.sleep(0.3)


def farms(words):
    if words.verb == "list":
        for farm in call("GET", "farms"):
            print(*(farm[key] for key in ("name", "state", "cloud", "cost_center") if key in farm))
    elif words.verb == "launch":
        call("POST", "farms", {"name": words.what, "servers": words.servers, "cloud": words.cloud})
        done = wait(words.what, "running", words.wait)
        print(f"farm {words.what} is running, {len(done['servers'])} servers")
    else:
        try:
            if call("GET", f"farms/{words.what}")["state"] != "terminated":
                call("DELETE", f"farms/{words.what}")
                wait(words.what, "terminated", words.wait)
            print(f"farm {words.what} is terminated")
        except Missing as missing:
            print(missing)


def servers(words):
    if words.verb == "list":
        for server in call("GET", "servers"):
            if words.farm in (None, server["farm"]):
                print(*(server[key] for key in ("id", "farm", "role", "state", "address")))
    elif words.verb == "launch":
        call("POST", f"farms/{words.what}/servers", {})
        done = wait(words.what, "running", words.wait)
        print(f"server {max(server['id'] for server in done['servers'])} of farm {words.what} is running")
    else:
        try:
            call("DELETE", f"servers/{words.what}")
            gone(words.what, words.wait)
            print(f"server {words.what} is terminated")
        except Missing as missing:
            print(missing)


def read(words):
    parser = argparse.ArgumentParser(usage=__doc__.split("Usage: ")[1], add_help=True)
    parser.add_argument("kind", choices=VERBS)
    parser.add_argument("verb", nargs="?", default="list")
    parser.add_argument("what", nargs="?")
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--cloud", default="public-east")
    parser.add_argument("--farm")
    parser.add_argument("--wait", type=float, default=60)
    parser.add_argument("--url")
    told = parser.parse_args(words)
    if told.verb not in VERBS[told.kind]:
        parser.error(f"{told.kind} {told.verb} is not known, allowed are {', '.join(VERBS[told.kind])}")
    if VERBS[told.kind][told.verb] not in (None, told.what is not None):
        parser.error(f"{told.kind} {told.verb} takes {'a name' if told.what is None else 'no name'}")
    return told


def main(words):
    told = read(words)
    if told.kind in ("clouds", "networks", "tools"):
        checks.run(told.kind, told.verb, told.what)
        return
    call.url = told.url or url()
    if told.kind == "status":
        print(json.dumps(call("GET", "status")))
    else:
        {"farms": farms, "servers": servers}[told.kind](told)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Wrong, MySQLError) as wrong:
        print(f"scalr-ctl: {wrong}", file=sys.stderr)
        sys.exit(1)
