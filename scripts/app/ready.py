#!/usr/bin/env python3
"""Wait until the application answers that it is ready, with the wanted revision.

Usage: ready.py URL STATUS REVISION SECONDS UNIT [HOST]

Prints the reason and ends with 1 if the application is not ready within SECONDS, or if the unit's
process dies twice meanwhile. HOST is the site's name, which HAProxy's check sends too. An answer
without a revision (X-Revision) counts as the wanted one.
"""

import http.client
import json
import subprocess
import sys
import time
import urllib.parse

ASK_S, PAUSE_S, LOOK_S, DEATHS = 2, 0.05, 0.5, 2


def reason_in(body):
    """The `reason` of an answer in JSON; otherwise the whole answer."""
    try:
        return json.loads(body)["reason"]
    except (ValueError, KeyError, TypeError):
        return body


def ask(url, status, revision, host):
    """What is wrong with the answer; None: the application is ready."""
    where = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=ASK_S)
    try:
        connection.request("GET", where.path + (f"?{where.query}" if where.query else ""), headers={"Host": host or where.netloc})
        answer = connection.getresponse()
        body = answer.read(4000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"no answer at {where.netloc}: {error}"
    finally:
        connection.close()
    if answer.status != status:
        return f"answers {answer.status}, not {status}: {reason_in(body)}"
    running = answer.getheader("X-Revision", revision)
    return None if running == revision else f"answers as revision {running}, not {revision}"


def deaths(unit):
    shown = subprocess.run(["systemctl", "show", "-P", "NRestarts", unit], capture_output=True, text=True, timeout=10, check=False)
    return int(shown.stdout) if shown.stdout.strip().isdigit() else 0


def main():
    if len(sys.argv) not in (6, 7):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    url, status, revision, seconds, unit, *host = sys.argv[1:]
    started = time.monotonic()
    looked, deaths_before = started, deaths(unit)
    while wrong := ask(url, int(status), revision, "".join(host)):
        now = time.monotonic()
        late = f"is not ready after {seconds} s" if now - started > int(seconds) else None
        if now - looked > LOOK_S:
            looked = now
            late = late or (f"has died {DEATHS} times" if deaths(unit) - deaths_before >= DEATHS else None)
        if late:
            words = " ".join(f"{revision} {late}: {wrong}".split())[:300]
            # What an application answers is shown on terminals.
            print("".join(character if character.isprintable() else "?" for character in words))
            sys.exit(1)
        time.sleep(PAUSE_S)


main()
