#!/usr/bin/env python3
"""Check the mount of a shared volume on this host, as a monitoring plugin.

Usage: mount-check.py VOLUME [--state FILE]

Prints one line; ends with 0 (OK), 1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN). Critical: a bare folder, another
volume, a mount that hangs or rejects writes. Warning: a server that does not answer, less than 10 % free space, an
answer that takes more than 1 s. FILE gets the code, the line, and the time since which the code is the same.
"""

import json
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import marker  # noqa: E402

ROOT = os.environ.get("CHANGEOVER_MOUNTS", "/etc/changeover/mounts")
NAMES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
LIMIT_S, SLOW_S, LEAST_FREE = 10, 1, 10
GLUSTERD_PORT = 24007
LOOK = "--look"
FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK


class Finding(Exception):
    """(code, text) of the one line."""


def settings(volume):
    """What mount-volume.sh wrote down of the mount."""
    try:
        with open(f"{ROOT}/{volume}", encoding="utf8") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    except OSError:
        raise Finding(3, f"{volume}: not mounted by Changeover on this host ({ROOT}/{volume} is missing)") from None


def type_at(path, mounts="/proc/self/mounts"):
    """(source, type) of the last mount at a path, by the kernel's list. Never touches the path itself."""
    mount = None
    with open(mounts, encoding="utf8") as file:
        for line in file:
            source, where, kind = line.split()[:3]
            if where == path:
                mount = source, kind
    return mount


def look(path, host):
    """What the mount shows, read in a process of its own: if that hangs, it is left behind."""
    child = subprocess.Popen(
        [sys.executable, "-I", os.path.abspath(__file__), LOOK, path, host],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, error = child.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        raise Finding(2, f"{path} does not answer within {LIMIT_S} s") from None
    if child.returncode:
        raise Finding(2, f"{path} is mounted, but {error.strip().splitlines()[-1]}")
    return json.loads(out)


def seen(path, host):
    """The look itself. By handles: what is in the volume belongs to its owner, who may put links there."""
    started = time.monotonic()
    folder = marker.folder_of(path)
    lines = marker.read(folder).decode().splitlines()
    said = {"marker": dict(line.split("=", 1) for line in lines if "=" in line), "uid": os.stat(path).st_uid, "write": ""}
    try:
        with open(os.open(f"check-{host}", FLAGS, 0o644, dir_fd=folder), "w", encoding="utf8") as file:
            file.write(f"{time.time():.0f}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        said["write"] = os.strerror(error.errno)
    space = os.statvfs(path)
    said["free"] = 100 * space.f_bavail / max(1, space.f_blocks)
    said["seconds"] = time.monotonic() - started
    return said


def silent(servers):
    """Servers whose glusterd does not answer."""
    dead = []
    for server in servers:
        try:
            socket.create_connection((server, GLUSTERD_PORT), timeout=2).close()
        except OSError:
            dead.append(server)
    return dead


def check(volume):
    wanted = settings(volume)
    path, servers = wanted["path"], [server for server in wanted["servers"].split(",") if server]
    mounted = type_at(path)
    if mounted is None:
        raise Finding(2, f"{path} is a bare folder: {volume} is not mounted")
    if mounted[1] != "fuse.glusterfs" or mounted[0].split(":/")[-1] != volume:
        raise Finding(2, f"{path} is {mounted[0]} ({mounted[1]}), not {volume}")
    answer = look(path, socket.gethostname())
    if answer["marker"].get("id") != wanted.get("id"):
        raise Finding(2, f"{path} has another volume's marker ({answer['marker'].get('id')}, not {wanted.get('id')})")
    if answer["write"]:
        raise Finding(2, f"{path} rejects writes: {answer['write']}")
    if str(answer["uid"]) != answer["marker"].get("uid"):
        raise Finding(2, f"{path} is owned by user {answer['uid']}, not by {wanted['owner']}")
    warnings = [f"{server} does not answer" for server in silent(servers)]
    if answer["free"] < LEAST_FREE:
        warnings.append(f"{answer['free']:.0f} % free (allowed: {LEAST_FREE} % or more)")
    if answer["seconds"] > SLOW_S:
        warnings.append(f"answers in {answer['seconds']:.1f} s (allowed: {SLOW_S} s)")
    if warnings:
        raise Finding(1, f"{path} is mounted, but {', '.join(warnings)}")
    return 0, f"{volume} is mounted at {path}, owner {wanted['owner']}, {answer['free']:.0f} % free"


def record(file, code, line):
    """Write code and line to a file of KEY=VALUE, with the time since which the code is the same."""
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
    if words[:1] == [LOOK] and len(words) == 3:
        try:
            print(json.dumps(seen(*words[1:])))
        except OSError as error:
            sys.exit(f"{error.filename}: {error.strerror}")
        return
    if len(words) not in (1, 3) or words[0].startswith("-"):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 3)
    try:
        code, text = check(words[0])
    except Finding as finding:
        code, text = finding.args
    except Exception as error:  # pylint: disable=broad-except
        code, text = 3, f"{words[0]}: {error}"
    line = f"MOUNT {NAMES[code]} - {text}"
    if len(words) == 3:
        record(words[2], code, line)
    print(line)
    # A child that hangs in the kernel must not block the exit.
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
