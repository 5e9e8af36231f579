#!/usr/bin/env python3
"""List the processes that use files below a folder: `PID name` each, at most ten. Read-only.

Usage: users.py FOLDER
"""

import os
import sys


def links_of(pid):
    """What a process holds, below /proc/PID: its folders, open files, mapped files."""
    for link in ("cwd", "root", "exe"):
        yield link
    try:
        yield from (f"fd/{number}" for number in os.listdir(f"/proc/{pid}/fd"))
        yield from (f"map_files/{part}" for part in os.listdir(f"/proc/{pid}/map_files"))
    except OSError:
        return


def holds(pid, folder):
    for link in links_of(pid):
        try:
            target = os.readlink(f"/proc/{pid}/{link}")
        except OSError:
            continue
        if target == folder or target.startswith(f"{folder}/"):
            return True
    return False


def users_of(folder):
    """Processes that use files below FOLDER, without this process and its parents."""
    own, pid = set(), os.getpid()
    while pid > 1:
        own.add(pid)
        with open(f"/proc/{pid}/stat", encoding="utf8") as stat:
            pid = int(stat.read().rsplit(")", 1)[1].split()[1])
    users = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        if int(entry) in own or not holds(entry, folder):
            continue
        try:
            with open(f"/proc/{entry}/comm", encoding="utf8") as comm:
                users.append(f"{entry} {comm.read().strip()}")
        except OSError:
            continue
    return users


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    print("\n".join(users_of(os.path.abspath(sys.argv[1]))[:10]))
