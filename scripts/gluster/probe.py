#!/usr/bin/env python3
"""Describe this host's part of a shared volume: one line of JSON on stdout. Read-only.

Usage: probe.py COMPONENT VOLUME host|brick=PATH|mount=PATH
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
sys.dont_write_bytecode = True

import bricks  # noqa: E402
import cli  # noqa: E402
import handles  # noqa: E402
import rules  # noqa: E402
from records import pairs_of, records_of  # noqa: E402
from users import users_of  # noqa: E402


def existing_parent(path):
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def of_volume(name):
    volume = cli.volumes().get(name)
    if volume is None:
        return None
    single = len(volume["bricks"]) == 1
    # A preflight waits 10 s for the whole probe. configure-volume.py asks again, and waits longer.
    counts = (0, 0) if single else cli.backlog(name, seconds=4)
    up = cli.online(name)
    return {
        "started": volume["started"],
        "bricks": [{"role": role, "brick": brick, "online": brick in up} for role, brick in volume["bricks"]],
        "backlog": counts[0] if counts else None,
        "clients": sorted(cli.clients(name)) if volume["started"] else [],
        "splitBrain": cli.in_split_brain(name) if counts and counts[1] else [],
    }


def brick_facts(name, path):
    running = cli.ask("pool", "list") is not None
    try:
        volumes = cli.volumes(seconds=2) if running else {}
    except cli.TimedOut:
        running, volumes = False, {}
    return {
        "glusterd": running,
        "peers": [peer for peer in cli.peers() if peer["state"] != cli.MEMBER] if running else [],
        "rules": rules.state("changeover-gluster"),
        "volume": of_volume(name) if name in volumes else None,
        "brick": bricks.state(path) if running else "absent",
        "ownFileSystem": os.stat(existing_parent(path)).st_dev != os.stat("/").st_dev,
    }


def mounted_at(path):
    with open("/proc/self/mounts", encoding="utf8") as file:
        mounts = [line.split()[:3] for line in file if line.split()[1] == path]
    return mounts[-1] if mounts else None


def why_foreign(path):
    """Why an account besides root could choose where a volume is mounted; None: none could."""
    try:
        return handles.require_own(os.path.dirname(path))
    except (handles.Untrusted, OSError) as error:
        return str(error)


def mount_facts(name, path):
    mounted = mounted_at(path)
    ours = mounted is not None and mounted[2] == "fuse.glusterfs" and mounted[0].endswith(f":/{name}")
    settings = pairs_of(f"/etc/changeover/mounts/{name}") or {}
    old = settings.get("path")
    return {
        "mounted": ours,
        "covered": mounted[0] if mounted and not ours else None,
        "foreign": why_foreign(path) if path.startswith("/") else None,
        "hidden": 0 if mounted or not os.path.isdir(path) else len(os.listdir(path)),
        "users": [] if ours else users_of(path),
        "old": {"path": old, "users": users_of(old)} if old and old != path else None,
    }


def main():
    words = sys.argv[1:]
    if len(words) != 3 or words[0].startswith("-"):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    component, name, (kind, _, path) = words[0], words[1], words[2].partition("=")
    facts = records_of(component)
    facts["fuse"] = os.path.exists("/dev/fuse")
    if kind == "brick":
        facts.update(brick_facts(name, path))
    if kind == "mount":
        facts.update(mount_facts(name, path))
    print(json.dumps(facts))


main()
