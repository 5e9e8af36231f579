#!/usr/bin/env python3
"""Check the mount of a shared volume on this host, as monitoring plugins do.

Usage: mount-check.py VOLUME [--state FILE]

One line on stdout; ends with 0 (OK), 1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN). A bare folder, another
volume, a mount that hangs or takes no write is critical; a server that does not answer, little space or a
slow answer is a warning. FILE gets the code, the line and since when it is so.
"""

import json
import os
import socket
import subprocess
import sys
import time

ROOT = os.environ.get("CHANGEOVER_MOUNTS", "/etc/changeover/mounts")
NAMES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
LIMIT = 10


class Found(Exception):
    """What was found, with its code."""


def told(volume):
    try:
        with open(f"{ROOT}/{volume}", encoding="utf8") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    except OSError:
        raise Found(3, f"{volume}: this host was told of no such mount ({ROOT}/{volume})") from None


def type_at(path, mounts="/proc/self/mounts"):
    """(source, type) of what is mounted at a path now; the last one wins. Never touches the path itself."""
    found = None
    with open(mounts, encoding="utf8") as file:
        for line in file:
            source, where, kind = line.split()[:3]
            if where == path:
                found = source, kind
    return found


def seen(path, host):
    """What is seen through the mount, by a process of its own: one that hangs is left behind."""
    look = """
import json, os, sys, time
path, host, started = sys.argv[1], sys.argv[2], time.monotonic()
with open(f"{path}/.changeover/volume", encoding="utf8") as file:
    marker = dict(line.rstrip("\\n").split("=", 1) for line in file if "=" in line)
said = {"marker": marker, "uid": os.stat(path).st_uid, "write": ""}
try:
    with open(f"{path}/.changeover/check-{host}", "w", encoding="utf8") as file:
        file.write(f"{time.time():.0f}\\n")
        file.flush()
        os.fsync(file.fileno())
except OSError as error:
    said["write"] = os.strerror(error.errno)
space = os.statvfs(path)
said["free"] = 100 * space.f_bavail / max(1, space.f_blocks)
said["seconds"] = time.monotonic() - started
print(json.dumps(said))
"""
    child = subprocess.Popen(
        [sys.executable, "-c", look, path, host], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        out, error = child.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        child.kill()
        raise Found(2, f"{path} does not answer within {LIMIT} s") from None
    if child.returncode:
        raise Found(2, f"{path} is mounted, but {error.strip().splitlines()[-1]}")
    return json.loads(out)


def silent(servers):
    """Servers that nothing listens on at glusterd's port."""
    found = []
    for server in servers:
        try:
            socket.create_connection((server, 24007), timeout=2).close()
        except OSError:
            found.append(server)
    return found


def check(volume):
    wanted = told(volume)
    path, servers = wanted["path"], [one for one in wanted["servers"].split(",") if one]
    mounted = type_at(path)
    if mounted is None:
        raise Found(2, f"{path} is a bare folder: {volume} is not mounted")
    if mounted[1] != "fuse.glusterfs" or mounted[0].split(":/")[-1] != volume:
        raise Found(2, f"{path} is {mounted[0]} ({mounted[1]}), not {volume}")
    said = seen(path, socket.gethostname())
    if said["marker"].get("id") != wanted.get("id"):
        raise Found(2, f"{path} has another volume's mark ({said['marker'].get('id')}, expected {wanted.get('id')})")
    if said["write"]:
        raise Found(2, f"{path} takes no write: {said['write']}")
    if str(said["uid"]) != said["marker"].get("uid"):
        raise Found(2, f"{path} is owned by user {said['uid']}, not by {wanted['owner']}")
    warnings = [f"{server} does not answer" for server in silent(servers)]
    if said["free"] < 10:
        warnings.append(f"{said['free']:.0f} % free")
    if said["seconds"] > 1:
        warnings.append(f"took {said['seconds']:.1f} s")
    if warnings:
        raise Found(1, f"{path} is mounted, but {', '.join(warnings)}")
    return 0, f"{volume} is mounted at {path}, owner {wanted['owner']}, {said['free']:.0f} % free"


def leave(file, code, line):
    """Code and line in a file of KEY=VALUE, with the time since which the code is what it is."""
    now, before = time.strftime("%FT%T%z"), {}
    try:
        with open(file, encoding="utf8") as old:
            before = dict(text.rstrip("\n").split("=", 1) for text in old if "=" in text)
    except OSError:
        pass
    since = before.get("since", now) if before.get("code") == str(code) else now
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(f"{file}.new", "w", encoding="utf8") as new:
        new.write(f"code={code}\nline={line}\nat={now}\nsince={since}\n")
    os.replace(f"{file}.new", file)


def main():
    words = sys.argv[1:]
    if len(words) not in (1, 3) or words[0].startswith("-"):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 3)
    try:
        code, text = check(words[0])
    except Found as found:
        code, text = found.args
    except Exception as error:  # pylint: disable=broad-except
        code, text = 3, f"{words[0]}: {error}"
    line = f"MOUNT {NAMES[code]} - {text}"
    if len(words) == 3:
        leave(words[2], code, line)
    print(line)
    # A child that hangs in the kernel must not hold this one at its end.
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
