#!/usr/bin/env python3
"""systemctl and journalctl for one real node of a search cluster, on a machine without systemd: the node of CHANGEOVER_SEARCH.

Usage: systemctl show|start|stop|kill|reset-failed WORD…; journalctl WORD…     (this file under both names)

SEARCH_HOME: the unpacked distribution. The node's own files are in `own` of its folder. A node runs as user 65534.
"""

import glob
import os
import signal
import subprocess
import sys
import time

OWN = f"{os.environ['CHANGEOVER_SEARCH']}/own"


def pid():
    """The node's process; None when it has ended."""
    try:
        with open(f"{OWN}/pid", encoding="utf8") as file:
            number = int(file.read())
        with open(f"/proc/{number}/stat", encoding="utf8") as file:
            return number if file.read().rsplit(")", 1)[1].split()[0] != "Z" else None
    except (OSError, ValueError, IndexError):
        return None


def start():
    if pid():
        return
    for name in ("data", "logs", "tmp"):
        os.makedirs(f"{OWN}/{name}", exist_ok=True)
        os.chown(f"{OWN}/{name}", 65534, 65534)
    java = os.path.dirname(os.path.dirname(os.path.realpath("/usr/bin/java")))
    current = os.path.realpath(glob.glob(f"{os.environ['CHANGEOVER_SEARCH']}/*/current")[0])
    with open(f"{OWN}/out", "wb") as out:
        process = subprocess.Popen(
            ["setpriv", "--reuid=65534", "--clear-groups", f"{os.environ['SEARCH_HOME']}/bin/opensearch"],
            env={"PATH": "/usr/bin:/bin", "JAVA_HOME": java, "OPENSEARCH_PATH_CONF": current, "OPENSEARCH_TMPDIR": f"{OWN}/tmp"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    with open(f"{OWN}/pid", "w", encoding="utf8") as file:
        file.write(str(process.pid))


def end(number, how):
    if number:
        os.kill(number, how)
    while pid():
        time.sleep(0.02)


def main(words):
    if os.path.basename(sys.argv[0]) == "journalctl":
        with open(f"{OWN}/out", encoding="utf8", errors="replace") as file:
            print(file.read())
    elif words[0] == "show":
        number = pid()
        print(f"ActiveState={'active' if number else 'inactive'}\nNRestarts=0\nExecMainStatus=1\nMainPID={number or 0}")
    elif words[0] == "start":
        start()
    elif words[0] in ("stop", "kill"):
        end(pid(), signal.SIGKILL if "KILL" in words else signal.SIGTERM)


main(sys.argv[1:])
